package awspolicy

var table3 []Policy
