// The same judgement as attrsync's, as a Go service would be written: franz-go's transactional sessions, golang-jwt, sonic. There is a
// session for each core, each a member of the group with partitions of its own. One transaction of a session carries the verdicts and
// the offsets of everything that it polled within the commit interval.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pollRecords is how many records are judged between two looks at the clock: milliseconds' worth, or some tens where they are large.
const pollRecords = 250

// sinks are the topics that are written, and what their records name as their source.
type sinks struct {
	accepted, rejected string
	source             []byte
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	settings, err := loadSettings(os.Getenv("PEER_SETTINGS"))
	if err != nil {
		return err
	}
	millis, err := strconv.Atoi(os.Getenv("PEER_COMMIT_MS"))
	if err != nil {
		return err
	}
	out := sinks{os.Getenv("PEER_ACCEPTED"), os.Getenv("PEER_REJECTED"), []byte(os.Getenv("PEER_SOURCE"))}
	var sessions sync.WaitGroup
	for number := range runtime.GOMAXPROCS(0) {
		sessions.Go(func() {
			// What starts the process anew goes on from what is committed.
			if err := work(ctx, number, settings, out, time.Duration(millis)*time.Millisecond); err != nil {
				log.Fatal(err)
			}
		})
	}
	sessions.Wait()
	return nil
}

// work is one session: a transaction after another until it is to end.
func work(ctx context.Context, number int, settings *Settings, out sinks, interval time.Duration) error {
	session, err := connect(number)
	if err != nil {
		return err
	}
	defer session.Close()
	for ctx.Err() == nil {
		if err := transact(ctx, session, settings, out, interval); err != nil {
			return err
		}
	}
	return nil
}

func connect(number int) (*kgo.GroupTransactSession, error) {
	group := os.Getenv("PEER_GROUP")
	return kgo.NewGroupTransactSession(
		kgo.SeedBrokers(os.Getenv("PEER_BROKERS")),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(os.Getenv("PEER_INPUT")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// A quarter of the default: a fetch is decompressed as a whole, and the next one is sent for when the last of it is polled.
		kgo.FetchMaxPartitionBytes(256<<10),
		// With the default of three seconds the sessions take that long to share the partitions at the start.
		kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.TransactionalID(fmt.Sprintf("%s-%d", group, number)),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		// A full batch is sent at once; what else there is, when the transaction ends.
		kgo.ProducerLinger(time.Second),
	)
}

// transact polls, judges and produces for one commit interval, then commits.
func transact(ctx context.Context, session *kgo.GroupTransactSession, settings *Settings, out sinks, interval time.Duration) error {
	if err := session.Begin(); err != nil {
		return err
	}
	var failed kgo.FirstErrPromise
	interrupted, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	for interrupted.Err() == nil {
		fetches := session.PollRecords(interrupted, pollRecords)
		for _, failure := range fetches.Errors() {
			if !errors.Is(failure.Err, context.Canceled) && !errors.Is(failure.Err, context.DeadlineExceeded) {
				log.Printf("fetching %s/%d: %v", failure.Topic, failure.Partition, failure.Err)
			}
		}
		fetches.EachRecord(func(record *kgo.Record) {
			for _, output := range settings.outputs(record, out) {
				session.Produce(context.Background(), output, failed.Promise())
			}
		})
	}
	// Nothing lingers any longer: Err waits for all that is on its way.
	if err := session.Client().Flush(context.Background()); err != nil {
		return err
	}
	// One that failed aborts, and the session reads the batch again.
	_, err := session.End(context.Background(), kgo.TransactionEndTry(failed.Err() == nil))
	return err
}
