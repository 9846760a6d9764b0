package wire

type router struct{}
type matcher struct{}
type plan struct{}
