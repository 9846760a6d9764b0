// Package sigv4 signs HTTP requests with AWS Signature Version 4 and checks such signatures (docs/spec/wire.md 2 and 4.2).
//
// A server checks a request in the order of docs/spec/wire.md 1.8: [Parse] reads what the request claims, [Claim.CheckScope]
// compares the claim with the clock and with what the service accepts, the caller looks up the access key, and [Claim.Verify]
// compares the signature. Only after Verify has returned nil is anything in the request trustworthy.
//
// Verify takes a [Key], which is derived for one day, region and service. An enforcement point that holds such a key can check
// requests without ever seeing the secret access key. For a key that is used again and again there is [PreparedKey].
//
// The package knows the header form and the query form (presigned URLs) of AWS4-HMAC-SHA256. It does not know accounts, access
// keys, sessions, wire protocols or HTTP statuses: an [*Error] carries a [Kind] and the text, and the caller maps the kind to the
// code of its protocol. It does not know SigV4A (AWS4-ECDSA-P256-SHA256), Signature Version 2, or the chunked payloads of S3
// (STREAMING-AWS4-HMAC-SHA256-PAYLOAD); all are refused. It uses the standard library only, never reads the clock and never
// reads a request's Body: the caller passes the bytes.
package sigv4
