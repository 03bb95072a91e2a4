package each

// Halt says when a run is to stop before all items are done. The zero value is never.
type Halt struct {
	Now     bool   // running commands are killed; else they may end
	Why     string // what is counted: "fail", "success" or "done"; "" is never
	Count   int    // so many
	Percent int    // or so many of a hundred; of all items, which are read first to be counted, where Options.Total is 0
}
