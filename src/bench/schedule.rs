//! How often each combination runs within a plan's time: all at least five times if there is time for that, and
//! then those that take little time more often than those that take much.

use std::collections::HashMap;
use std::time::Duration;

use super::order::{Job, Kind};

/// What is run again in each repetition: runtime, workload, scale, what is looked at.
pub type Combination = (usize, usize, u64, Kind);

/// How often all combinations run before any of them runs more often than others.
const LEAST: u32 = 5;

/// What the runs of an experiment took so far.
#[derive(Debug, Default)]
pub struct Schedule {
    /// How often each combination ran, and for how long, with what was prepared and looked at around it.
    took: HashMap<Combination, (u32, Duration)>,
}

/// A combination with runs to be made.
struct Entry {
    combination: Combination,
    /// How long one run takes, in seconds.
    each: f64,
    /// How often it ran.
    done: u32,
    /// How often it may run still.
    left: u32,
}

impl Schedule {
    /// A run has ended.
    pub fn ran(&mut self, job: &Job, took: Duration) {
        let (runs, time) = self.took.entry(combination(job)).or_default();
        *runs += 1;
        *time += took;
    }

    /// How often each of the combinations of these jobs is to run in the time that is left.
    pub fn shares(&self, jobs: &[Job], time: Option<Duration>) -> HashMap<Combination, u32> {
        let mut counts: HashMap<Combination, u32> = HashMap::new();
        for job in jobs {
            *counts.entry(combination(job)).or_default() += 1;
        }
        let Some(time) = time else { return counts };
        let entries: Vec<Entry> = counts
            .into_iter()
            .map(|(combination, left)| {
                let took = self.took.get(&combination);
                Entry {
                    combination,
                    each: self.expected(&combination).as_secs_f64().max(1e-6),
                    done: took.map_or(0, |(runs, _)| *runs),
                    left,
                }
            })
            .collect();
        let time = time.as_secs_f64();
        let mut leasts = (2..=LEAST).rev();
        let least = leasts.find(|least| needed(&entries, *least, 0.0) <= time);
        let least = least.unwrap_or(1);
        // Each gets as much time as any other: that which uses what there is, by halving.
        let used = entries
            .iter()
            .map(|entry| entry.each * f64::from(entry.done));
        let (mut low, mut high) = (0.0, 2.0 * (time + used.fold(0.0, f64::max)));
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if needed(&entries, least, middle) <= time {
                low = middle;
            } else {
                high = middle;
            }
        }
        let share = |entry: &Entry| (entry.combination, entry.runs(least, low));
        entries.iter().map(share).collect()
    }

    /// How long a run of a combination takes: as those before did, or as any run did.
    pub fn expected(&self, combination: &Combination) -> Duration {
        if let Some((runs, time)) = self.took.get(combination) {
            return *time / *runs;
        }
        let runs: u32 = self.took.values().map(|(runs, _)| runs).sum();
        let time: Duration = self.took.values().map(|(_, time)| time).sum();
        time / runs.max(1)
    }
}

impl Entry {
    /// How often it runs still if all run so often at least, and each has so many seconds in all.
    fn runs(&self, least: u32, seconds: f64) -> u32 {
        let all = ((seconds / self.each) as u32).max(least);
        all.saturating_sub(self.done).min(self.left)
    }
}

/// The seconds that this takes.
fn needed(entries: &[Entry], least: u32, seconds: f64) -> f64 {
    let each = |entry: &Entry| f64::from(entry.runs(least, seconds)) * entry.each;
    entries.iter().map(each).sum()
}

/// The combination of a job.
pub fn combination(job: &Job) -> Combination {
    (job.runtime, job.workload, job.scale, job.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(scale: u64, repetition: u32) -> Job {
        Job {
            runtime: 0,
            workload: 0,
            scale,
            repetition,
            kind: Kind::Bare,
            order: 0,
        }
    }

    /// Shares of a quick and a slow combination, of 1 and 10 s, after the first repetition of ten.
    fn shares(time: Option<u64>) -> (u32, u32) {
        let mut schedule = Schedule::default();
        schedule.ran(&job(1, 0), Duration::from_secs(1));
        schedule.ran(&job(1000, 0), Duration::from_secs(10));
        let jobs: Vec<Job> = (1..10)
            .flat_map(|repetition| [job(1, repetition), job(1000, repetition)])
            .collect();
        let shares = schedule.shares(&jobs, time.map(Duration::from_secs));
        let of = |scale| shares[&combination(&job(scale, 0))];
        (of(1), of(1000))
    }

    #[test]
    fn what_takes_long_runs_less_often_if_time_is_short() {
        assert_eq!(shares(None), (9, 9));
        assert_eq!(shares(Some(1000)), (9, 9));
        // Three runs of each, and the quick one as often as it may.
        assert_eq!(shares(Some(30)), (9, 2));
        assert_eq!(shares(Some(22)), (2, 2));
        // Too little for three of each: two, and then for two.
        assert_eq!(shares(Some(15)), (5, 1));
        assert_eq!(shares(Some(9)), (9, 0));
        assert_eq!(shares(Some(4)), (4, 0));
        assert_eq!(shares(Some(0)), (0, 0));
    }

    #[test]
    fn what_has_not_run_yet_is_expected_to_take_as_long_as_others() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.expected(&combination(&job(1, 0))), Duration::ZERO);
        schedule.ran(&job(1, 0), Duration::from_secs(1));
        schedule.ran(&job(1, 1), Duration::from_secs(3));
        assert_eq!(
            schedule.expected(&combination(&job(9, 0))),
            Duration::from_secs(2)
        );
    }
}
