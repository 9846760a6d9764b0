// Package wire is the protocol layer of the AWS-compatible services: it finds out which operation a request asks for, turns the
// request into a generated input struct, checks the constraints of the model, and writes answers and errors the way AWS does.
//
// It knows the three protocols of docs/spec/wire.md 1 (awsQuery with its JSON variant, awsJson1_1, restJson1), the validation texts
// of section 3 and the common errors of section 4. What it needs to know of a service stands in static tables (Service, Operation,
// Shape, Fault), which tools/cmd/apigen generates from models/*.json into internal/api/*.
//
// It does not know what an operation does, who calls it, signatures, accounts or policies, and it imports none of our packages.
//
// Decisions where the specification is silent:
//   - Length of a string counts Unicode code points.
//   - A parameter of an awsQuery request that occurs twice: the first occurrence counts; the query string comes before the body.
//   - A query string or form body that is not UTF-8 or holds NUL, before or after percent-decoding, is MalformedInput (with a message);
//     percent-encoding that cannot be decoded, too many parameters and too deep or too high list indexes are MalformedQueryString.
//   - GET / without an Action gets MissingAction 400, not a redirect to a site that is not ours.
//   - Constraint errors come in the order of the members in the model, and of one member: length or value, pattern, enum.
//     Messages without the frame ("The specified value for …") are given only if no framed constraint is broken.
//   - A struct value decoded from a request shares no memory with the request body.
package wire
