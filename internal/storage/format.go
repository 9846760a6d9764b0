package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// FormatKey holds the level of the store's records, as decimal text. It stands in unit "cell" beside its tables.
const FormatKey = "cell/format"

// CheckFormat makes sure that the store's level is the one the caller knows. An empty store gets it, written by a commit with that id and
// time. Another level is an error that names both.
func CheckFormat(ctx context.Context, e Engine, level int, id CommitID, at time.Time) error {
	for {
		_, items := e.Snapshot(ctx, "cell/", 0)
		var head Rev
		for item, err := range items {
			switch {
			case err != nil:
				return err
			case item.Key == "cell/"+HeadName:
				head = item.Rev
			case item.Key == FormatKey:
				found, err := strconv.Atoi(string(item.Value))
				if err != nil {
					return fmt.Errorf("%w: the format level is %q", ErrDamaged, item.Value)
				}
				if found != level {
					return fmt.Errorf("storage: the store has format level %d, this version knows level %d: run the version that wrote it", found, level)
				}
				return nil
			}
		}
		if head != 0 {
			return fmt.Errorf("%w: it has commits but no format level", ErrDamaged)
		}
		_, err := e.Commit(ctx, Batch{
			ID: id, Time: at.UTC().Truncate(time.Microsecond),
			Units: []Condition{{Unit: "cell", Write: true}},
			Ops:   []Op{{Kind: Put, Key: FormatKey, Value: []byte(strconv.Itoa(level))}},
		})
		if err == nil || !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnknown) {
			return err
		}
	}
}
