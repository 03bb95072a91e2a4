package sleigh_test

import (
	"fmt"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"slices"
	"testing"
	"time"
)

func TestZZSpeed(t *testing.T) {
	for _, url := range []string{"local://"} {
		rdb, err := redisx.Open(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sleigh.Start(t.Context(), rdb, &sleigh.Options{Launch: sleigh.Local(2)})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{100, 10000, 1000000, 1000000} {
			began := time.Now()
			got, err := square.EachElem(t.Context(), s, upTo(n), nil)
			d := time.Since(began)
			wantSquares(t, got, err, n)
			fmt.Println(n, d, float64(n)/d.Seconds())
		}
		began := time.Now()
		for i := range 300 {
			got, err := square.EachElem(t.Context(), s, slices.Values([]int{i}), nil)
			if err != nil || got[0] != i*i {
				t.Fatal(got, err)
			}
		}
		fmt.Println("one", time.Since(began)/300)
		s.Stop(t.Context())
		rdb.Close()
	}
}
