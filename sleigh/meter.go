package sleigh

import "time"

const (
	meterStep  = time.Second
	meterSteps = 10
)

// meter measures how many elements are done in a second, over the last ten.
type meter struct {
	began time.Time // of the current step
	steps [meterSteps]int
	at    int // the current step
	known int // steps that count, with the current one
}

// note notes n elements.
func (m *meter) note(now time.Time, n int) {
	m.move(now)
	m.steps[m.at] += n
}

// rate is a number of elements each second; 0 if none was noted.
func (m *meter) rate(now time.Time) float64 {
	if m.known == 0 {
		return 0
	}
	m.move(now)
	sum := 0
	for _, n := range m.steps {
		sum += n
	}
	over := time.Duration(m.known-1)*meterStep + now.Sub(m.began)
	return float64(sum) / max(over, meterStep/10).Seconds()
}

// move begins new steps as time passes.
func (m *meter) move(now time.Time) {
	if m.known == 0 || now.Sub(m.began) >= meterSteps*meterStep {
		*m = meter{began: now, known: 1}
		return
	}
	for now.Sub(m.began) >= meterStep {
		m.began = m.began.Add(meterStep)
		m.at = (m.at + 1) % meterSteps
		m.steps[m.at] = 0
		m.known = min(m.known+1, meterSteps)
	}
}
