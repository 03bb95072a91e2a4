package each

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

const joblogHeader = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

// joblog is a file with a line for each result: its columns are those of GNU parallel, and either reads what the other wrote. A
// line is written at once, so that it stays when the program is killed.
type joblog struct {
	file *os.File // nil: there is none
	has  numbers  // of the items that need not be done any more
}

// openJoblog opens the joblog, and reads it if it is to be resumed.
func openJoblog(o *Options) (*joblog, error) {
	l := &joblog{has: numbers{}}
	if o.Joblog == "" {
		return l, nil
	}
	resumes := o.Resume || o.ResumeFailed
	if o.DryRun {
		if !resumes {
			return l, nil
		}
		file, err := os.Open(o.Joblog)
		if errors.Is(err, os.ErrNotExist) {
			return l, nil
		}
		if err == nil {
			_, err = l.read(file, o.ResumeFailed)
			_ = file.Close()
		}
		return l, err
	}
	file, err := os.OpenFile(o.Joblog, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("each: joblog: %w", err)
	}
	var whole int64
	if resumes {
		whole, err = l.read(file, o.ResumeFailed)
	}
	if err == nil && isRegular(file) {
		err = file.Truncate(whole) // with what was cut off when the last program was killed
	}
	if err == nil && whole == 0 {
		_, err = file.WriteString(joblogHeader)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("each: joblog: %w", err)
	}
	l.file = file
	return l, nil
}

func isRegular(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// read notes which items are done, and gives the length of the whole lines.
func (l *joblog) read(file io.Reader, failedAgain bool) (whole int64, err error) {
	in := bufio.NewReaderSize(file, 64<<10)
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		switch {
		case errors.Is(err, io.EOF):
			return whole, nil
		case err != nil:
			return 0, err
		}
		whole += int64(len(line))
		if n == 1 && strings.HasPrefix(line, "Seq\t") {
			continue
		}
		columns := strings.SplitN(line, "\t", 9)
		seq, err := strconv.Atoi(columns[0])
		if err != nil || seq < 1 || len(columns) < 9 {
			return 0, fmt.Errorf("line %d is none of a joblog: %.100q", n, line)
		}
		if failed := columns[6] != "0" || columns[7] != "0"; !failed || !failedAgain {
			l.has.add(seq)
		}
	}
}

// add writes the line of a result, whose item is done.
func (l *joblog) add(r *Result) error {
	l.has.add(r.Seq)
	if l.file == nil {
		return nil
	}
	b := make([]byte, 0, 100+len(r.Command))
	b = strconv.AppendInt(b, int64(r.Seq), 10)
	b = fmt.Appendf(b, "\t%s\t%.3f\t%10.3f\t0\t%d\t%d\t%d\t", strings.Map(noTab, r.Host), seconds(r.Started), r.Runtime.Seconds(),
		int64(len(r.Stdout))+r.StdoutDropped, r.Exit, r.Signal)
	b = append(b, bytes.ReplaceAll([]byte(r.Command), []byte{'\n'}, []byte{0})...)
	if _, err := l.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("each: joblog: %w", err)
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func noTab(r rune) rune {
	if r <= ' ' {
		return '_'
	}
	return r
}

func (l *joblog) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
