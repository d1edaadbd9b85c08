// The same judgement as attrsync's, as a Go service would be written: franz-go's transactional session, golang-jwt, sonic.
// One transaction carries the verdicts and the offsets of everything polled within the commit interval; partitions are
// judged in parallel.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

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
	session, err := connect()
	if err != nil {
		return err
	}
	defer session.Close()
	out := sinks{os.Getenv("PEER_ACCEPTED"), os.Getenv("PEER_REJECTED"), []byte(os.Getenv("PEER_SOURCE"))}
	for ctx.Err() == nil {
		if err := transact(ctx, session, settings, out, time.Duration(millis)*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func connect() (*kgo.GroupTransactSession, error) {
	group := os.Getenv("PEER_GROUP")
	return kgo.NewGroupTransactSession(
		kgo.SeedBrokers(os.Getenv("PEER_BROKERS")),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(os.Getenv("PEER_INPUT")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.TransactionalID(group),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(50_000),
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
		fetches := session.PollRecords(interrupted, 10_000)
		for _, failure := range fetches.Errors() {
			if !errors.Is(failure.Err, context.Canceled) && !errors.Is(failure.Err, context.DeadlineExceeded) {
				log.Printf("fetching %s/%d: %v", failure.Topic, failure.Partition, failure.Err)
			}
		}
		var partitions sync.WaitGroup
		fetches.EachPartition(func(partition kgo.FetchTopicPartition) {
			partitions.Go(func() {
				for _, record := range partition.Records {
					for _, output := range settings.outputs(record, out) {
						session.Produce(context.Background(), output, failed.Promise())
					}
				}
			})
		})
		partitions.Wait()
	}
	// Waits for what is on its way; one that failed aborts, and the session reads the batch again.
	commit := kgo.TransactionEndTry(failed.Err() == nil)
	_, err := session.End(context.Background(), commit)
	return err
}
