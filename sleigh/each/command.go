package each

import "errors"

// Command is what to run for each item.
type Command struct {
	// Args are the program and its arguments. Anywhere in them, and as often as one likes, these stand for
	//
	//	{}    the item
	//	{.}   the item without its extension
	//	{/}   its base name: what comes after the last slash
	//	{//}  its directory; "." if it has none
	//	{/.}  its base name without its extension
	//	{#}   the number of the item, from 1
	//
	// If none of them is in any argument, and Pipe is not set, the item comes after the last argument. Other braces stay.
	Args []string
	// Pipe has the command read the item, as it is, from its standard input. Defaults to false.
	Pipe bool
}

func (c Command) check() error {
	if len(c.Args) == 0 {
		return errors.New("each: there is no command")
	}
	return nil
}

// element is an item for a worker.
func (c Command) element(seq int, item string, o *Options) element {
	return element{
		Seq: seq, Item: text(item), Args: texts(c.Args), Pipe: c.Pipe, Retries: o.Retries, Timeout: o.Timeout, Output: o.OutputBytes,
		Named: o.Name != "",
	}
}
