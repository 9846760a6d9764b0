// Package clients tests the built binary with the clients people use: aws-sdk-go-v2, the aws CLI, boto3, Terraform and curl.
//
// The SDK is always tested. The others are tested where they are installed when GATEHOUSE_E2E is set, as `make e2e` does, and must be
// installed if GATEHOUSE_E2E_REQUIRE names them (aws, boto3, terraform, with commas between).
package clients
