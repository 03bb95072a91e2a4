package workspacetest

import "math/rand/v2"

var fileTests = []test{
	{"F1StoresTheNextBytes", f1StoresTheNextBytes},
	{"F1StoresAllThatIsLeft", f1StoresAllThatIsLeft},
	{"F1EndOfTheInput", f1EndOfTheInput},
	{"F1ReaderFails", f1ReaderFails},
	{"F1ReadsNoMore", f1ReadsNoMore},
	{"F2FetchAndFind", f2FetchAndFind},
	{"F2Try", f2Try},
	{"F2Waits", f2Waits},
	{"F2WriterFails", f2WriterFails},
	{"F2AnyValue", f2AnyValue},
	{"F3Limit", f3Limit},
	{"F3EndlessReader", f3EndlessReader},
	{"F3LargestValue", f3LargestValue},
	{"F3InPieces", f3InPieces},
}

// random gives n bytes, the same each time.
func random(n int) []byte {
	chance := rand.New(rand.NewPCG(1, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(chance.Uint32())
	}
	return text
}
