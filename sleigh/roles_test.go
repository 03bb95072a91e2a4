package sleigh_test

func playNoMain() int { return 0 }
func playMaster() int { return 0 }
