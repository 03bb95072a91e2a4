package sleigh

import "slices"

// ranges is a set of indexes, as pairs of the first and the last of those that follow each other, in their order.
type ranges [][2]int

// add adds one index.
func (r *ranges) add(i int) {
	at := r.after(i)
	s := *r
	switch {
	case at > 0 && i <= s[at-1][1]:
	case at > 0 && i == s[at-1][1]+1:
		s[at-1][1] = i
		if at < len(s) && s[at][0] == i+1 {
			s[at-1][1] = s[at][1]
			s = slices.Delete(s, at, at+1)
		}
	case at < len(s) && s[at][0] == i+1:
		s[at][0] = i
	default:
		s = slices.Insert(s, at, [2]int{i, i})
	}
	*r = s
}

// after is the place of the first pair that begins after i.
func (r *ranges) after(i int) int {
	at, found := slices.BinarySearchFunc(*r, i, func(pair [2]int, i int) int { return pair[0] - i })
	if found {
		at++
	}
	return at
}

func (r *ranges) has(i int) bool {
	at := r.after(i)
	return at > 0 && i <= (*r)[at-1][1]
}

// hasAll reports whether n indexes from first on are in it.
func (r *ranges) hasAll(first, n int) bool {
	at := r.after(first)
	return at > 0 && first+n-1 <= (*r)[at-1][1]
}

// count is how many indexes are in it.
func (r *ranges) count() int {
	n := 0
	for _, pair := range *r {
		n += pair[1] - pair[0] + 1
	}
	return n
}

// end is one more than the highest index.
func (r *ranges) end() int {
	if len(*r) == 0 {
		return 0
	}
	return (*r)[len(*r)-1][1] + 1
}
