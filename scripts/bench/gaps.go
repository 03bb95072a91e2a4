package main

// gaps are odd primes in order, as half of what lies between each and the one before, the first counting from where the chunk
// begins: a byte for each, where numbers in JSON take nine. It is enough below 10^11, where no gap is longer than 464.
type gaps []byte

func gapsOf(first int, primes []int) gaps {
	g := make(gaps, len(primes))
	for i, p := range primes {
		g[i] = byte((p - first) / 2)
		first = p
	}
	return g
}

// appendTo adds the primes to all.
func (g gaps) appendTo(all []int, first int) []int {
	for _, half := range g {
		first += 2 * int(half)
		all = append(all, first)
	}
	return all
}
