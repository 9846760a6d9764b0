package main

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/constant"
	"go/printer"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// form is how the changes of a place are switched.
type form uint8

const (
	condition form = iota // an expression that is a bool: code is another one
	integer               // an int: one is added to it
	statement             // it is left out
	returning             // a return: code is another one
)

// point is a place of the source with its changes.
type point struct {
	form    form
	node    ast.Node
	mutants []*mutant
	code    []string // of each mutant; "" for what the form says
}

// finder looks for the mutants of one declaration.
type finder struct {
	*program
	source   *source
	function string
}

// find looks for all mutants of the package and numbers them.
func (p *program) find() {
	for _, s := range p.sources {
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Body != nil {
					f := finder{p, s, functionName(d)}
					f.walk(d.Body, d.Type.Results)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
						f := finder{p, s, "var " + v.Names[0].Name}
						f.walk(v, nil)
					}
				}
			}
		}
	}
	p.number()
}

// number gives the mutants their ids in the order of the source, those of one place next to each other.
func (p *program) number() {
	var points []*point
	for _, at := range p.points {
		points = append(points, at)
	}
	slices.SortFunc(points, func(a, b *point) int {
		return cmp.Or(cmp.Compare(a.node.Pos(), b.node.Pos()), cmp.Compare(b.node.End(), a.node.End()), cmp.Compare(a.form, b.form))
	})
	equal := map[string]int{}
	for _, at := range points {
		p.starts = append(p.starts, len(p.mutants)+1)
		for _, m := range at.mutants {
			p.mutants = append(p.mutants, m)
			m.id, m.nth = len(p.mutants), 1
			key := m.key()
			equal[key]++
			m.nth = equal[key]
		}
	}
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	receiver, pointer := d.Recv.List[0].Type, false
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver, pointer = star.X, true
	}
	switch generic := receiver.(type) {
	case *ast.IndexExpr:
		receiver = generic.X
	case *ast.IndexListExpr:
		receiver = generic.X
	}
	name := receiver.(*ast.Ident).Name
	if pointer {
		name = "(*" + name + ")"
	}
	return name + "." + d.Name.Name
}

// walk looks at everything in n, which belongs to a function with these results.
func (f *finder) walk(n ast.Node, results *ast.FieldList) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			f.walk(n.Body, n.Type.Results)
			return false
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.ArrayType:
			return false
		case *ast.BlockStmt:
			f.statements(n.List, results)
		case *ast.CaseClause:
			f.statements(n.Body, results)
		case *ast.CommClause:
			f.statements(n.Body, results)
		case *ast.IfStmt:
			f.decides(n.Cond, "true", "false")
		case *ast.ForStmt:
			if n.Cond != nil {
				f.decides(n.Cond, "false") // always true is an endless loop, which proves nothing
			}
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, clause := range n.Body.List {
					for _, e := range clause.(*ast.CaseClause).List {
						f.decides(e, "true", "false")
					}
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				f.expression(n, "boolean", f.text(n.X))
			}
		case *ast.BinaryExpr:
			f.binary(n)
		case *ast.SliceExpr:
			for _, bound := range []ast.Expr{n.Low, n.High, n.Max} {
				f.index(n, bound)
			}
		case *ast.IndexExpr:
			f.index(n, n.Index)
		}
		return true
	})
}

// at is the place of n, nil where there is another form of change already.
func (f *finder) at(n ast.Node, form form) *point {
	if f.points[n] == nil {
		f.points[n] = &point{form: form, node: n}
	}
	if f.points[n].form != form {
		return nil
	}
	return f.points[n]
}

// add notes a change of n: the texts are what a person reads, code is what is compiled. Equal changes count once.
func (f *finder) add(n ast.Node, form form, operator, before, after, code string) {
	at := f.at(n, form)
	if at == nil || slices.ContainsFunc(at.mutants, func(m *mutant) bool { return m.new == short(after) }) {
		return
	}
	place := f.files.Position(n.Pos())
	line, _, _ := strings.Cut(string(f.source.text[place.Offset-place.Column+1:]), "\n")
	at.mutants = append(at.mutants, &mutant{
		pkg: f.name, file: f.source.name, line: place.Line, column: place.Column, function: f.function,
		operator: operator, old: short(before), new: short(after), source: strings.TrimSpace(line),
	})
	at.code = append(at.code, code)
}

// expression notes another expression in the place of e, which has to be a bool that is not constant.
func (f *finder) expression(e ast.Expr, operator, after string) {
	tv := f.info.Types[e]
	basic, ok := tv.Type.(*types.Basic)
	if tv.Value != nil || !ok || basic.Info()&types.IsBoolean == 0 {
		return
	}
	f.add(e, condition, operator, f.text(e), after, after)
}

// decides notes that e may be a constant.
func (f *finder) decides(e ast.Expr, values ...string) {
	for _, v := range values {
		f.expression(ast.Unparen(e), "condition", v)
	}
}

var logical = map[token.Token]token.Token{token.LAND: token.LOR, token.LOR: token.LAND}

// comparisons are what each comparison turns into, and by how much a constant on its right side moves: where the other way is that of the
// boundary already, it moves one way only.
var comparisons = map[token.Token]struct {
	into  []token.Token
	moves int64
}{
	token.LSS: {[]token.Token{token.LEQ, token.GEQ, token.GTR}, -1},
	token.LEQ: {[]token.Token{token.LSS, token.GTR, token.GEQ}, +1},
	token.GTR: {[]token.Token{token.GEQ, token.LEQ, token.LSS}, +1},
	token.GEQ: {[]token.Token{token.GTR, token.LSS, token.LEQ}, -1},
	token.EQL: {[]token.Token{token.NEQ}, +1},
	token.NEQ: {[]token.Token{token.EQL}, +1},
}

func (f *finder) binary(e *ast.BinaryExpr) {
	if other, ok := logical[e.Op]; ok {
		f.expression(e, "boolean", f.operand(e.X)+" "+other.String()+" "+f.operand(e.Y))
		neutral := "true"
		if e.Op == token.LOR {
			neutral = "false"
		}
		for _, side := range []ast.Expr{e.X, e.Y} {
			if inner, ok := ast.Unparen(side).(*ast.BinaryExpr); !ok || inner.Op != e.Op { // the parts of a chain are left out one by one
				f.decides(side, neutral)
			}
		}
		return
	}
	c, ok := comparisons[e.Op]
	if !ok {
		return
	}
	for _, op := range c.into {
		f.expression(e, "comparison", f.text(e.X)+" "+op.String()+" "+f.text(e.Y))
	}
	if moved, ok := f.moved(e.Y, e.X, e.Op, c.moves); ok {
		f.expression(e, "bound", f.text(e.X)+" "+e.Op.String()+" "+moved)
	} else if moved, ok := f.moved(e.X, e.Y, e.Op, -c.moves); ok {
		f.expression(e, "bound", moved+" "+e.Op.String()+" "+f.text(e.Y))
	}
}

// operand is an operand of && or ||, which stays one when the operator changes.
func (f *finder) operand(e ast.Expr) string {
	if b, ok := e.(*ast.BinaryExpr); ok && logical[b.Op] != 0 {
		return "(" + f.text(e) + ")"
	}
	return f.text(e)
}

// moved is the constant bound with by added, if it is one that is compared with an integer. Equality with a character or with one of a
// list of names is no bound.
func (f *finder) moved(bound, with ast.Expr, op token.Token, by int64) (string, bool) {
	tv := f.info.Types[bound]
	basic, ok := f.info.TypeOf(with).Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsInteger == 0 || tv.Value == nil || tv.Value.Kind() != constant.Int || f.info.Types[with].Value != nil {
		return "", false
	}
	if op == token.EQL || op == token.NEQ {
		literal, ok := ast.Unparen(bound).(*ast.BasicLit)
		if _, named := f.info.TypeOf(with).(*types.Named); named || ok && literal.Kind == token.CHAR {
			return "", false
		}
		by = +1
	}
	if !fits(constant.BinaryOp(tv.Value, token.ADD, constant.MakeInt64(by)), basic.Kind()) {
		return "", false
	}
	text := f.text(bound)
	switch ast.Unparen(bound).(type) {
	case *ast.Ident, *ast.BasicLit, *ast.SelectorExpr:
	default:
		text = "(" + text + ")"
	}
	if by < 0 {
		return text + "-1", true
	}
	return text + "+1", true
}

func fits(v constant.Value, kind types.BasicKind) bool {
	bits := map[types.BasicKind]int{
		types.Int8: 7, types.Int16: 15, types.Int32: 31, types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Uint64: 64, types.Uint: 32, types.Uintptr: 32,
	}
	n, ok := bits[kind]
	if !ok {
		n = 31 // int has 32 bits on some platforms
		if kind == types.Int64 {
			n = 63
		}
	}
	unsigned := kind >= types.Uint && kind <= types.Uintptr
	return constant.BitLen(v) <= n && !(unsigned && constant.Sign(v) < 0)
}

// index notes that a literal in an index or a bound of a slice is one more: s[1:], s[i+1].
func (f *finder) index(around, bound ast.Expr) {
	if b, ok := bound.(*ast.BinaryExpr); ok && (b.Op == token.ADD || b.Op == token.SUB) {
		bound = b.Y
	}
	literal, ok := bound.(*ast.BasicLit)
	if !ok || literal.Kind != token.INT {
		return
	}
	indexed := around
	switch x := around.(type) {
	case *ast.SliceExpr:
		indexed = x.X
	case *ast.IndexExpr:
		indexed = x.X
	}
	indexedType := f.info.TypeOf(indexed).Underlying()
	if p, ok := indexedType.(*types.Pointer); ok {
		indexedType = p.Elem().Underlying()
	}
	switch x := indexedType.(type) {
	case *types.Slice, *types.Array:
	case *types.Basic:
		if x.Info()&types.IsString == 0 {
			return
		}
	default:
		return
	}
	if t := f.info.TypeOf(literal); t != types.Typ[types.Int] && t != types.Typ[types.UntypedInt] {
		return
	}
	before := string(f.original(around))
	at := int(literal.Pos() - around.Pos())
	f.add(literal, integer, "bound", before, before[:at]+literal.Value+"+1"+before[at+len(literal.Value):], "")
}

func (f *finder) statements(stmts []ast.Stmt, results *ast.FieldList) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.BranchStmt:
			if s.Tok == token.CONTINUE || s.Tok == token.BREAK {
				f.remove(s)
			}
		case *ast.AssignStmt:
			blank := func(e ast.Expr) bool { name, ok := e.(*ast.Ident); return ok && name.Name == "_" }
			if s.Tok != token.DEFINE && slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool { return !blank(e) }) {
				f.remove(s)
			}
		case *ast.IncDecStmt:
			f.remove(s)
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && f.text(call.Fun) != "panic" {
				f.remove(s)
			}
		case *ast.ReturnStmt:
			f.returns(s, results)
		}
	}
}

func (f *finder) remove(s ast.Stmt) {
	f.add(s, statement, "statement", f.text(s), "nothing", "")
}

// returns notes other results: another truth, or the zero value.
func (f *finder) returns(s *ast.ReturnStmt, results *ast.FieldList) {
	var kinds []string // the type of each result
	if results != nil {
		for _, field := range results.List {
			for range max(1, len(field.Names)) {
				kinds = append(kinds, f.zero(field.Type, s.Pos()))
			}
		}
	}
	if len(s.Results) == 1 && len(kinds) > 1 { // a call with several results
		if !slices.Contains(kinds, "") {
			f.add(s, returning, "return", f.text(s), "return zeros", "return "+strings.Join(kinds, ", "))
		}
		return
	}
	for i, e := range s.Results {
		tv := f.info.Types[e]
		other, shown := kinds[i], "zero"
		if basic, ok := tv.Type.Underlying().(*types.Basic); ok && basic.Info()&types.IsBoolean != 0 {
			if tv.Value == nil {
				f.negated(ast.Unparen(e))
				f.decides(e, "true", "false")
				continue
			}
			other = map[bool]string{true: "false", false: "true"}[constant.BoolVal(tv.Value)]
			shown = other
		} else if other == "" || f.isZero(e) {
			continue
		}
		f.add(s, returning, "return", f.text(s), "return "+f.with(s.Results, i, shown), "return "+f.with(s.Results, i, other))
	}
}

// negated notes the opposite of a result, where its own operator does not turn into it anyway.
func (f *finder) negated(e ast.Expr) {
	switch e := e.(type) {
	case *ast.UnaryExpr:
		return
	case *ast.BinaryExpr:
		if logical[e.Op] == 0 {
			return
		}
	}
	f.expression(e, "return", "!("+f.text(e)+")")
}

// with is the list of expressions with one of them replaced.
func (f *finder) with(list []ast.Expr, i int, other string) string {
	var texts []string
	for j, e := range list {
		if j == i {
			texts = append(texts, other)
		} else {
			texts = append(texts, f.text(e))
		}
	}
	return strings.Join(texts, ", ")
}

// zero is an expression for the zero value of a type; "" where a name in it means something else at that place.
func (f *finder) zero(t ast.Expr, at token.Pos) string {
	hidden := false
	ast.Inspect(t, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			n = selector.X
		}
		if name, ok := n.(*ast.Ident); ok {
			_, object := f.pkg.Scope().Innermost(at).LookupParent(name.Name, at)
			hidden = hidden || object != f.info.Uses[name]
			return false
		}
		return true
	})
	if hidden {
		return ""
	}
	return "*new(" + f.text(t) + ")"
}

// isZero says that e is written as a zero value.
func (f *finder) isZero(e ast.Expr) bool {
	tv := f.info.Types[e]
	if v := tv.Value; v != nil {
		switch v.Kind() {
		case constant.String:
			return constant.StringVal(v) == ""
		case constant.Int, constant.Float:
			return constant.Sign(v) == 0
		}
		return false
	}
	literal, ok := e.(*ast.CompositeLit)
	_, isStruct := tv.Type.Underlying().(*types.Struct)
	return tv.IsNil() || ok && isStruct && len(literal.Elts) == 0
}

// original is the source of a node as it stands.
func (f *finder) original(n ast.Node) []byte {
	return f.source.text[f.files.Position(n.Pos()).Offset:f.files.Position(n.End()).Offset]
}

// text is the source of a node, without comments.
func (f *finder) text(n ast.Node) string {
	text := f.original(n)
	if !bytes.Contains(text, []byte("\n")) {
		return string(text)
	}
	var b bytes.Buffer
	if err := printer.Fprint(&b, f.files, n); err != nil {
		panic(err) // the node was parsed: it prints
	}
	return b.String()
}

// short is a text on one line, not too long for a list.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return text
}
