package server

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Nobody is authenticated before their body was read, so large bodies share a budget: callers without a key cannot make the server hold
// more. Small ones, as nearly all calls have, are read whatever else is under way.
const (
	smallBody   = 64 << 10
	bodyBudget  = 64 << 20
	bodyPatient = 5 * time.Second // that a large body waits for its share
)

type bodies struct{ budget *semaphore.Weighted }

func newBodies() bodies { return bodies{semaphore.NewWeighted(bodyBudget)} }

// read reads the body of a request. release must be called once it is needed no more.
func (b bodies) read(r *http.Request) (body []byte, release func(), err *wire.Error) {
	release = func() {}
	if r.ContentLength < 0 || r.ContentLength > smallBody {
		share := r.ContentLength
		if share < 0 || share > maxBody {
			share = maxBody
		}
		ctx, cancel := context.WithTimeout(r.Context(), bodyPatient)
		defer cancel()
		if b.budget.Acquire(ctx, share) != nil {
			return nil, release, wire.ServiceUnavailable.New("The server is reading as many large requests as it can hold. Send the request again later.")
		}
		release = func() { b.budget.Release(share) }
	}
	body, err = wire.ReadBody(r, maxBody)
	return body, release, err
}
