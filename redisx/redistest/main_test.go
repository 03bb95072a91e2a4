package redistest

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

// ownerEnv makes TestServerEndsWithItsProcess start a server and wait to be killed.
const ownerEnv = "REDISTEST_TEST_OWNER"

func TestMain(m *testing.M) {
	logging.Disable() // failed dials are what these tests are about
	goleak.VerifyTestMain(m)
}

// own says which server it has started, and keeps it until its input ends.
func own(t *testing.T) {
	s := Start(t)
	fmt.Printf("server %d %s\n", s.Pid(), s.Addr())
	bufio.NewScanner(os.Stdin).Scan()
}
