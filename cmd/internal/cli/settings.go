package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// settings are the flags that all commands have.
type settings struct {
	redis, config                 string
	json, quiet, verbose, noColor bool
	timeout                       time.Duration

	flags       *pflag.FlagSet
	redisOrigin string // where the address is from
	warnings    []string
}

func (s *settings) define(root *cobra.Command) {
	s.flags = root.PersistentFlags()
	s.flags.SortFlags = false
	s.flags.StringVar(&s.redis, "redis", "", "address of Redis, such as redis://localhost:6379; a password belongs into REDIS_URL")
	s.flags.BoolVar(&s.json, "json", false, "print JSON, one value a line")
	DurationVar(s.flags, &s.timeout, "timeout", 0, "give up after this time, such as 90s or 5 (seconds)")
	s.flags.BoolVarP(&s.quiet, "quiet", "q", false, "say nothing but errors on stderr")
	s.flags.BoolVarP(&s.verbose, "verbose", "v", false, "say on stderr what happens")
	s.flags.BoolVar(&s.noColor, "no-color", false, "no colours; so does NO_COLOR in the environment")
	s.flags.StringVar(&s.config, "config", "", "the config file")
}

// load fills the flags of cmd that the command line did not set, from the environment and the config file. A flag of a command
// that has the name of one that all commands have, but means something else, is on the command line only.
func (s *settings) load(cmd *cobra.Command) error {
	s.redisOrigin = "--redis"
	if flag := s.flags.Lookup("redis"); flag.Changed && redact(s.redis) != s.redis {
		s.warnings = append(s.warnings,
			"others on this machine can see the password of --redis: put the address into REDIS_URL or the config file")
	}
	v := viper.New()
	file, err := s.configFile()
	if err != nil {
		return err
	}
	if file != "" {
		v.SetConfigFile(file)
		if err := v.ReadInConfig(); err != nil {
			return &Error{Code: CodeUsage, Err: fmt.Errorf("config file %s: %w", file, err)}
		}
	}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "help" || flag.Name == "version" || flag.Name == "config" || err != nil {
			return
		}
		if common := s.flags.Lookup(flag.Name); common != nil && common != flag {
			return
		}
		variable := variableOf(flag.Name)
		origin := variable
		if os.Getenv(variable) == "" {
			origin = file
		}
		_ = v.BindEnv(flag.Name, variable) // fails only without a name
		if !v.IsSet(flag.Name) {
			return
		}
		if flag.Name == "redis" {
			s.redisOrigin = origin
		}
		if failed := fill(flag, v); failed != nil {
			err = &Error{Code: CodeUsage, Err: fmt.Errorf("%s: %s: %w", origin, flag.Name, failed)}
		}
	})
	if s.redisOrigin == file && redact(s.redis) != s.redis && readableByOthers(file) {
		s.warnings = append(s.warnings, fmt.Sprintf("others on this machine can read the password in %s: chmod 600 it", file))
	}
	return err
}

// variableOf names the environment variable for a flag.
func variableOf(flag string) string {
	if flag == "redis" {
		return "REDIS_URL"
	}
	return "NETSPACES_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fill sets a flag that the command line did not.
func fill(flag *pflag.Flag, v *viper.Viper) error {
	list, ok := flag.Value.(pflag.SliceValue)
	if !ok {
		text := v.GetString(flag.Name)
		switch value := v.Get(flag.Name).(type) {
		case []any: // such as the programs of allow-commands
			items := make([]string, len(value))
			for i, item := range value {
				items[i] = fmt.Sprint(item)
			}
			text = strings.Join(items, ",")
		case map[string]any:
			return errors.New("a value is wanted, and not a table")
		}
		if err := flag.Value.Set(text); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		flag.Changed = true
		return nil
	}
	values := v.GetStringSlice(flag.Name)
	if text, ok := v.Get(flag.Name).(string); ok { // GetStringSlice would cut it at blanks
		values = strings.Split(text, ",")
	}
	if err := list.Replace(values); err != nil {
		return fmt.Errorf("%q: %w", values, err)
	}
	flag.Changed = true
	return nil
}

// configFile finds the config file. One that is named must be there.
func (s *settings) configFile() (string, error) {
	for _, named := range []struct{ file, by string }{
		{s.config, "--config"},
		{os.Getenv("NETSPACES_CONFIG"), "NETSPACES_CONFIG"},
	} {
		if named.file == "" {
			continue
		}
		if _, err := os.Stat(named.file); err != nil {
			return "", &Error{Code: CodeUsage, Err: fmt.Errorf("%s: %w", named.by, err)}
		}
		return named.file, nil
	}
	folder := os.Getenv("XDG_CONFIG_HOME")
	if folder == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", nil //nolint:nilerr // Without a home there is no config file.
		}
		folder = filepath.Join(home, ".config")
	}
	for _, name := range []string{"config.toml", "config.yaml"} {
		file := filepath.Join(folder, "netspaces", name)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", &Error{Code: CodeUsage, Err: fmt.Errorf("config file: %w", err)}
		}
	}
	return "", nil
}

func readableByOthers(file string) bool {
	info, err := os.Stat(file)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}
