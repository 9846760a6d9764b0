package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/server"
)

// everything is the policy of an administrator.
const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

const adminPolicy = "AdministratorAccess"

func (a *app) initCommand() *cobra.Command {
	names := []string{"endpoint", "ca-file", "bootstrap-file", "root-access-key-id", "root-secret-access-key"}
	var admin, profile string
	cmd := &cobra.Command{
		Use:   "init --admin NAME",
		Short: "Make the first administrator of a running server",
		Long: `Make the first administrator of a running server: a user with an access key who may do everything. It prints a profile for AWS clients.

The calls are signed with the root user's access key: GATEHOUSE_ROOT_ACCESS_KEY_ID and GATEHOUSE_ROOT_SECRET_ACCESS_KEY (or
GATEHOUSE_ROOT_SECRET_ACCESS_KEY_FILE), or else the one in --bootstrap-file.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := &options{endpoint: "http://" + server.DefaultListen}
			if err := a.resolve(cmd, o, names); err != nil {
				return err
			}
			if admin == "" {
				return usageErrorf("who is the administrator? Give --admin NAME")
			}
			client, err := a.rootClient(o)
			if err != nil {
				return usageError{err}
			}
			files := a.profileFiles()
			if profile != "" {
				if err := files.check(profile); err != nil {
					return err
				}
			}
			key, err := client.makeAdministrator(cmd.Context(), admin)
			if err != nil {
				return err
			}
			return a.printProfile(o, files, profile, admin, key)
		},
	}
	cmd.Flags().StringVar(&admin, "admin", "", "`name` of the administrator to make")
	cmd.Flags().StringVar(&profile, "write-profile", "", "write the profile to the files of AWS clients, under this `name`, instead of printing it")
	addFlags(cmd, "endpoint", "ca-file", "bootstrap-file")
	return cmd
}

func (a *app) rootClient(o *options) (*client, error) {
	b := o.Bootstrap
	if o.BootstrapFile != "" && b.RootAccessKeyID == "" {
		f, err := server.ReadBootstrapFile(o.BootstrapFile)
		if err != nil {
			return nil, err
		}
		b = f
	}
	if b.RootAccessKeyID == "" || b.RootSecretAccessKey.Len() == 0 {
		return nil, errors.New("the root user's access key is missing: set " + server.EnvRootAccessKeyID + " and " + server.EnvRootSecretAccessKey +
			" (or " + server.EnvRootSecretAccessKey + "_FILE), or give --bootstrap-file FILE")
	}
	return newClient(o.endpoint, o.caFile, b.RootAccessKeyID, b.RootSecretAccessKey)
}

// newKey is the access key of the administrator.
type newKey struct {
	ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
	Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
}

// makeAdministrator makes user, policy and key. What was made before something failed is removed again.
func (c *client) makeAdministrator(ctx context.Context, name string) (key newKey, err error) {
	user := url.Values{"UserName": {name}}
	if _, err := c.iam(ctx, "CreateUser", user); err != nil {
		if f, ok := errors.AsType[*fault](err); ok && f.Code == "EntityAlreadyExists" {
			return key, fmt.Errorf("user %s exists already, and stays as it is: choose another name, or make a key for that user with "+
				"aws iam create-access-key --user-name %s", name, name)
		}
		return key, err
	}
	policy := url.Values{"UserName": {name}, "PolicyName": {adminPolicy}}
	defer func() {
		if err == nil {
			return
		}
		undo := context.WithoutCancel(ctx)
		_, policyErr := c.iam(undo, "DeleteUserPolicy", policy)
		if f, ok := errors.AsType[*fault](policyErr); ok && f.Code == "NoSuchEntity" {
			policyErr = nil
		}
		if _, userErr := c.iam(undo, "DeleteUser", user); userErr != nil || policyErr != nil {
			err = fmt.Errorf("%w; user %s was made and could not be removed again: %w", err, name, errors.Join(policyErr, userErr))
		}
	}()
	if _, err = c.iam(ctx, "PutUserPolicy", url.Values{"UserName": {name}, "PolicyName": {adminPolicy}, "PolicyDocument": {everything}}); err != nil {
		return key, err
	}
	answer, err := c.iam(ctx, "CreateAccessKey", user)
	if err != nil {
		return key, err
	}
	if err = xml.Unmarshal(answer, &key); err == nil && (key.ID == "" || key.Secret == "") {
		err = errors.New("the server's answer to CreateAccessKey holds no key")
	}
	return key, err
}

func (a *app) printProfile(o *options, files profileFiles, profile, admin string, key newKey) error {
	settings := "region = us-east-1\nendpoint_url = " + o.endpoint + "\n"
	if o.caFile != "" {
		settings += "ca_bundle = " + o.caFile + "\n"
	}
	credentials := "aws_access_key_id = " + key.ID + "\naws_secret_access_key = " + key.Secret + "\n"
	var b strings.Builder
	fmt.Fprintf(&b, "%s is an administrator.\n\n", admin)
	if profile != "" {
		if err := files.write(profile, settings, credentials); err != nil {
			// The key exists and would be lost: it is told after all.
			fmt.Fprintf(&b, "The profile could not be written. Its access key:\n\n%s", credentials)
			_, printErr := a.stdout.Write([]byte(b.String()))
			return errors.Join(err, printErr)
		}
		fmt.Fprintf(&b, "Profile %s is in %s and %s.\n", profile, files.config, files.credentials)
	} else {
		profile = "gatehouse"
		fmt.Fprintf(&b, "# for %s\n[profile %s]\n%s\n# for %s\n[%s]\n%s", files.config, profile, settings, files.credentials, profile, credentials)
	}
	fmt.Fprintf(&b, "\nNext:\n  aws --profile %s sts get-caller-identity\n  aws --profile %s iam create-user --user-name app\n"+
		"  aws --profile %s iam create-access-key --user-name app\n", profile, profile, profile)
	_, err := a.stdout.Write([]byte(b.String()))
	return err
}
