package each

// numbers is a set of numbers of items: 64 of them under each key.
type numbers map[int]uint64

func (s numbers) add(n int)      { s[n/64] |= 1 << (n % 64) }
func (s numbers) has(n int) bool { return s[n/64]&(1<<(n%64)) != 0 }
