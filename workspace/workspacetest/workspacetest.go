// Package workspacetest is the conformance suite of package workspace: tests that it has to pass on any Redis. Those of
// behaviour that NetWorkSpaces had carry its number: V1 to V10 for variables, W1 to W6 for workspaces.
//
// A test has a server of its own, and no key may be left there at its end.
package workspacetest

import (
	"testing"

	"github.com/netspaces/netspaces/redisx"
)

// test is one case of the suite.
type test struct {
	name string
	run  func(*site)
}

// Run tests all that a workspace promises on the servers that open gives: an empty one for each call, which is closed
// with the test that it is given.
func Run(t *testing.T, open func(*testing.T) *redisx.Client) {
	run(t, open, modeTests, knownTests, serveTests, placeTests, atomicTests, deleteVarTests, valueTests,
		cancelTests, vanishedTests, openTests, ownerTests, deleteTests, closedTests,
		claimTests, leaseTests, settleTests, releaseTests, byHandTests, damageTests,
		iterateTests, iterateFindTests, iterateFetchTests, iterateEndTests, iterateSingleTests,
		fetchNTests, fileTests)
}

// RunFaults tests what happens when a real Redis kills connections, runs out of memory or refuses commands. The servers
// that open gives must know CLIENT, CONFIG, ACL and INFO.
func RunFaults(t *testing.T, open func(*testing.T) *redisx.Client) {
	run(t, open, killTests, refusedTests, memoryTests, herdTests)
}

func run(t *testing.T, open func(*testing.T) *redisx.Client, groups ...[]test) {
	for _, group := range groups {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(newSite(t, open))
			})
		}
	}
}
