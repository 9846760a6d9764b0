// Package sts is the behaviour of the STS API (docs/spec/wire.md 10). Handlers are pure, as in package iam.
package sts
