// Package workspacetest is the conformance suite of package workspace: tests that it has to pass on any Redis. Those of
// behaviour that NetWorkSpaces had carry its number: W1 to W9 for workspaces, V1 to V10 for variables, I1 to I6 for
// iterators, F1 to F3 for files.
//
// A test has a server of its own, or at least a workspace of its own on one that is shared, and no key may be left there
// at its end.
package workspacetest

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
)

// test is one case of the suite.
type test struct {
	name string
	run  func(*site)
}

// Server is what one test runs on.
type Server struct {
	// Client is closed with the test.
	Client *redisx.Client
	// Admin is for looking into the server, and is not stopped by the rights that Client's user has. Defaults to what is
	// below Client.
	Admin redis.UniversalClient
	// Plain is an address of the server without TLS, for tests that have to understand what is sent. Defaults to Client's.
	Plain string
	// Shared says that other tests use the server at the same time, so that only what belongs to the test's own workspace
	// is looked at. Otherwise the server has to be empty.
	Shared bool
}

// Run tests all that a workspace promises on the servers that open gives for each test.
func Run(t *testing.T, open func(*testing.T) Server) {
	run(t, open, modeTests, knownTests, serveTests, placeTests, atomicTests, deleteVarTests, valueTests,
		cancelTests, vanishedTests, openTests, ownerTests, deleteTests, closedTests,
		claimTests, leaseTests, settleTests, releaseTests, byHandTests, damageTests,
		iterateTests, iterateFindTests, iterateFetchTests, iterateEndTests, iterateSingleTests, iterateBatchTests,
		iterateModelTests, iterateGoneTests,
		fetchNTests, fileTests, listVarsTests, settleIntoTests, watchTests,
		onceTests(), lostTests, laneTests, backOrderTests, togetherTests, togetherFetchTests, wokenTests())
}

// RunAlone tests what concerns a server as a whole. Each call of open must give one that is empty and that no other test
// uses at the same time.
func RunAlone(t *testing.T, open func(*testing.T) Server) {
	run(t, open, listTests, temporaryTests, defaultTests, sweepTests)
}

// RunFaults tests what happens when a real Redis kills connections, runs out of memory or refuses commands. The servers
// that open gives must know CLIENT, CONFIG, ACL and INFO.
func RunFaults(t *testing.T, open func(*testing.T) Server) {
	run(t, open, killTests, refusedTests, memoryTests, herdTests, scaleTests, iterateCountTests, togetherCountTests,
		iterateFaultTests)
}

// RunConnection is the part of Run in which it matters most how the server is reached.
func RunConnection(t *testing.T, open func(*testing.T) Server) {
	run(t, open, serveTests, valueTests, vanishedTests)
}

func run(t *testing.T, open func(*testing.T) Server, groups ...[]test) {
	for _, group := range groups {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(newSite(t, open))
			})
		}
	}
}
