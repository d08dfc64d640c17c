//! Which runs there are, and in which order: each repetition runs every combination once, shuffled, so that a
//! machine that gets slower slows all alike.

use fastrand::Rng;

/// A run to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Job {
    /// Which of the runtimes.
    pub runtime: usize,
    /// Which of the workloads.
    pub workload: usize,
    /// At which scale.
    pub scale: u64,
    /// From 0.
    pub repetition: u32,
    /// What is looked at.
    pub kind: Kind,
    /// When, among all, from 0.
    pub order: usize,
}

/// What is looked at in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Total time and memory, without probes.
    Bare,
    /// All metrics, with probes.
    Observed,
    /// What this script of the plan does.
    Script(usize),
}

/// What is combined.
#[derive(Debug)]
pub struct Combinations<'a> {
    /// For each runtime, whether it runs with and without probes.
    pub runtimes: &'a [Modes],
    /// For each workload, whether the scale makes a difference to it. If not, it runs at the smallest only.
    pub workloads: &'a [bool],
    /// The scales.
    pub scales: &'a [u64],
    /// How often each combination runs.
    pub repetitions: u32,
}

/// Which runs a runtime has.
#[derive(Debug, Clone, Copy)]
pub struct Modes {
    /// With probes.
    pub observed: bool,
    /// Without.
    pub bare: bool,
    /// With each of so many scripts.
    pub scripts: usize,
}

impl Modes {
    fn kinds(self) -> impl Iterator<Item = Kind> {
        let observed = self.observed.then_some(Kind::Observed);
        let bare = self.bare.then_some(Kind::Bare);
        let scripts = (0..self.scripts).map(Kind::Script);
        observed.into_iter().chain(bare).chain(scripts)
    }
}

impl Combinations<'_> {
    /// All runs in their order. The same seed gives the same order.
    pub fn shuffled(&self, seed: u64) -> Vec<Job> {
        let mut random = Rng::with_seed(seed);
        let mut jobs = Vec::new();
        for repetition in 0..self.repetitions {
            let mut block = self.block(repetition);
            random.shuffle(&mut block);
            jobs.extend(block);
        }
        for (order, job) in jobs.iter_mut().enumerate() {
            job.order = order;
        }
        jobs
    }

    /// One run of every combination.
    fn block(&self, repetition: u32) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (runtime, modes) in self.runtimes.iter().enumerate() {
            for (workload, is_scaled) in self.workloads.iter().enumerate() {
                let scales = self
                    .scales
                    .iter()
                    .filter(|scale| *is_scaled || Some(*scale) == self.scales.iter().min());
                for &scale in scales {
                    jobs.extend(modes.kinds().map(|kind| Job {
                        runtime,
                        workload,
                        scale,
                        repetition,
                        kind,
                        order: 0,
                    }));
                }
            }
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const BOTH: Modes = Modes {
        observed: true,
        bare: true,
        scripts: 1,
    };

    fn jobs(seed: u64) -> Vec<Job> {
        Combinations {
            runtimes: &[
                BOTH,
                Modes {
                    observed: false,
                    bare: true,
                    scripts: 0,
                },
            ],
            workloads: &[true, true, true],
            scales: &[1, 10],
            repetitions: 4,
        }
        .shuffled(seed)
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        assert_eq!(jobs(7), jobs(7));
        assert_ne!(jobs(7), jobs(8));
    }

    #[test]
    fn every_combination_runs_once_in_each_repetition() {
        let jobs = jobs(7);
        let block = 3 * 2 * 4;
        assert_eq!(jobs.len(), 4 * block);
        for (repetition, block) in jobs.chunks(block).enumerate() {
            assert!(
                block
                    .iter()
                    .all(|job| job.repetition as usize == repetition)
            );
            let different: HashSet<_> = block
                .iter()
                .map(|job| (job.runtime, job.workload, job.scale, job.kind))
                .collect();
            assert_eq!(different.len(), block.len());
        }
    }

    #[test]
    fn runs_are_numbered_and_repetitions_differ_in_order() {
        let jobs = jobs(7);
        assert!(
            jobs.iter()
                .enumerate()
                .all(|(order, job)| job.order == order)
        );
        let of = |repetition: usize| -> Vec<_> {
            jobs[repetition * 24..][..24]
                .iter()
                .map(|job| (job.runtime, job.workload, job.scale, job.kind))
                .collect()
        };
        assert_ne!(of(0), of(1));
    }

    #[test]
    fn a_workload_without_a_scale_runs_at_one() {
        let combinations = Combinations {
            runtimes: &[BOTH],
            workloads: &[true, false],
            scales: &[10, 1, 100],
            repetitions: 1,
        };
        let jobs = combinations.shuffled(1);
        let of_second = jobs.iter().filter(|job| job.workload == 1);
        assert!(of_second.clone().all(|job| job.scale == 1));
        assert_eq!((jobs.len(), of_second.count()), (12, 3));
    }

    #[test]
    fn a_runtime_that_cannot_be_observed_runs_without_probes_only() {
        assert!(
            jobs(1)
                .iter()
                .all(|job| job.runtime == 0 || job.kind == Kind::Bare)
        );
    }
}
