//! Partitions that are nobody's in a group that takes itself for settled.
//!
//! A static member that is back under its name within its session is given what it had been assigned, and nobody rebalances (KIP-345).
//! Under the cooperative protocol a partition changes hands in two steps: its owner gives it up, and the next assignment
//! gives it away. A process that ends between them is back without it, its owner's answer never comes, and the group looks again only
//! when a member comes or goes. So one comes and goes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rdkafka::ClientConfig;

use super::{Stats, shard::LOOKUP, stop::Stop};
use crate::source::kafka::{Consumer, LookUpError, Membership, Settled, listed, outsider, settled};

/// How long the visitor waits for a turn of its own loop.
const TURN: Duration = Duration::from_millis(100);

/// Looks at the group after each change of assignment of this process's shards, until all partitions are somebody's.
pub(super) struct Watch {
    /// What any client of these brokers is told.
    pub(super) passed: ClientConfig,
    /// A member of the group that only comes and goes.
    pub(super) visitor: Membership,
    /// Under which names this process's shards are members.
    pub(super) ours: BTreeSet<String>,
    /// The time between two looks, and within which a change of hands comes to its end.
    pub(super) every: Duration,
    /// Whose changes are waited for.
    pub(super) stats: Arc<Stats>,
    /// When to end.
    pub(super) stop: Arc<Stop>,
}

type Partitions = BTreeSet<(String, i32)>;

impl Watch {
    /// Runs until a stop is asked for.
    pub(super) fn run(&self) {
        let (mut settled, mut before, mut blind) = (None, Partitions::new(), false);
        while !self.stop.wait(self.every) {
            let changes = self.stats.assignments();
            if settled == Some(changes) {
                continue;
            }
            let looked = self.look();
            // Once: a cluster that is away has the shards say so, too.
            if let Err(error) = &looked
                && !blind
            {
                tracing::warn!(%error, "the group can't be looked at; partitions may be nobody's meanwhile");
            }
            blind = looked.is_err();
            match looked {
                Ok(Some((_, nobodys))) if nobodys.is_empty() => {
                    before.clear();
                    settled = Some(changes);
                }
                // Between the two steps it is as it should be; two looks apart it is not.
                Ok(Some((group, nobodys))) => {
                    if nobodys == before && self.is_ours_to_mend(&group) && !self.stop.asked() {
                        self.mend(&nobodys);
                    }
                    before = nobodys;
                }
                Ok(None) | Err(_) => before.clear(),
            }
        }
    }

    /// The group, and its partitions that are nobody's; `None` where it isn't settled.
    fn look(&self) -> Result<Option<(Settled, Partitions)>, LookUpError> {
        let client = outsider(&self.passed)?;
        let Some(group) = settled(&client, self.group(), LOOKUP)? else { return Ok(None) };
        let mut nobodys = Partitions::new();
        for topic in &self.visitor.topics {
            let all = listed(&client, topic, LOOKUP)?.unwrap_or_default();
            nobodys.extend(all.into_iter().map(|partition| (topic.clone(), partition)));
        }
        nobodys.retain(|partition| !group.assigned.contains(partition));
        Ok(Some((group, nobodys)))
    }

    /// One process of the group is enough: the one whose member comes first by name.
    fn is_ours_to_mend(&self, group: &Settled) -> bool {
        group.members.first().is_some_and(|first| self.ours.contains(first))
    }

    /// Joins the group and leaves it again; both have it assign all partitions.
    fn mend(&self, nobodys: &Partitions) {
        let partitions: Vec<_> = nobodys.iter().map(|(topic, partition)| format!("{topic}[{partition}]")).collect();
        tracing::warn!(
            group = self.group(),
            partitions = partitions.join(" "),
            "nobody was assigned these partitions; having the group assign them"
        );
        if let Err(error) = self.visit() {
            tracing::warn!(%error, "the group can't be joined for that; trying again");
        }
    }

    fn visit(&self) -> Result<(), String> {
        let visitor = Consumer::join(self.visitor.clone()).map_err(|error| error.to_string())?;
        while !visitor.has_change() && !self.stop.asked() {
            visitor.poll(TURN).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn group(&self) -> &str {
        self.visitor.config.get("group.id").unwrap_or_default()
    }
}
