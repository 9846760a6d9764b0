package awspolicy

var table2 []Policy
