// Command protogen compiles .proto files to Go without protoc: protocompile reads them, protoc-gen-go's own generator writes the code.
//
//	go -C tools run ./cmd/protogen -proto ../internal/state/statepb/state.proto
//
// The output X.pb.go goes to -out, by default beside its source (as paths=source_relative does). The Go import path comes from
// the go_package option. Imports are looked up in the directories of -I, by default the directory of each source, and among
// the well-known types.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

type paths []string

func (p *paths) String() string     { return strings.Join(*p, ",") }
func (p *paths) Set(s string) error { *p = append(*p, s); return nil }

func main() {
	var sources, includes paths
	flag.Var(&sources, "proto", "source file; may be repeated, plain arguments count too")
	flag.Var(&includes, "I", "directory to look up imports in; may be repeated")
	out := flag.String("out", "", "directory of the output (default: that of the source)")
	flag.Parse()
	sources = append(sources, flag.Args()...)
	if len(sources) == 0 {
		flag.Usage()
		os.Exit(2)
	}
	for _, source := range sources {
		if err := generate(source, includes, *out); err != nil {
			fmt.Fprintln(os.Stderr, "protogen:", err)
			os.Exit(1)
		}
	}
}

func generate(source string, includes []string, out string) error {
	dir, name := filepath.Split(source)
	if out == "" {
		out = dir
	}
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			ImportPaths: append([]string{filepath.Clean(dir)}, includes...),
		}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments become Go comments
	}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		return err
	}
	request := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{name},
		Parameter:      new("paths=source_relative"),
	}
	seen := map[string]bool{}
	for _, f := range files {
		addFile(request, seen, f)
	}
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return err
	}
	plugin.SupportedFeatures = internal_gengo.SupportedFeatures
	plugin.SupportedEditionsMinimum = internal_gengo.SupportedEditionsMinimum
	plugin.SupportedEditionsMaximum = internal_gengo.SupportedEditionsMaximum
	for _, f := range plugin.Files {
		if f.Generate {
			internal_gengo.GenerateFile(plugin, f)
		}
	}
	response := plugin.Response()
	if response.Error != nil {
		return errors.New(*response.Error)
	}
	for _, f := range response.File {
		text := versionless(f.GetContent())
		if err := os.WriteFile(filepath.Join(out, f.GetName()), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// addFile appends f after everything it imports, which is the order a generator expects.
func addFile(request *pluginpb.CodeGeneratorRequest, seen map[string]bool, f protoreflect.FileDescriptor) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	imports := f.Imports()
	for i := range imports.Len() {
		addFile(request, seen, imports.Get(i).FileDescriptor)
	}
	request.ProtoFile = append(request.ProtoFile, fileProto(f))
}

func fileProto(f protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	if result, ok := f.(linker.Result); ok {
		return result.FileDescriptorProto()
	}
	return protodesc.ToFileDescriptorProto(f)
}

// versionless replaces the line that names protoc's version: there is no protoc, and "(unknown)" would suggest a fault.
func versionless(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "// \tprotoc ") || strings.HasPrefix(line, "// \tprotoc\t") {
			lines[i] = "// \tprotocompile (tools/cmd/protogen)"
			break
		}
	}
	return strings.Join(lines, "\n")
}
