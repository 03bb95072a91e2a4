package each

// Progress is how far a run is, in items.
type Progress struct {
	Done    int `json:"done"`   // with those that failed
	Failed  int `json:"failed"` // of these
	Skipped int `json:"skipped"`
	Total   int `json:"total"` // with those that are skipped; -1 while it is not known
}
