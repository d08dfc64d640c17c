//! What reports find in results that were made up: what was planted, and nothing else.

use crate::bench::result::{Line, Run};

use super::anomaly::{self, Found, Limits, Sign};
use super::diff::{self, Differences, Side};
use super::metric::{self, METRICS};
use super::study::Study;
use super::synthetic::{Planted, Synthetic};

/// The runs of a made-up file.
pub fn runs(synthetic: &Synthetic) -> Vec<Run> {
    let lines = synthetic.lines();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter_map(|line| match line {
            Line::Run(run) => Some(*run),
            Line::Experiment(_) | Line::Script(_) => None,
        })
        .collect()
}

pub fn study(synthetic: &Synthetic) -> Study {
    Study::new(runs(synthetic))
}

fn find(synthetic: &Synthetic) -> Found {
    anomaly::find(&study(synthetic), &Limits::default())
}

/// Runtime, function and sign of each anomaly.
fn found(synthetic: &Synthetic) -> Vec<(usize, String, Sign)> {
    let anomalies = find(synthetic).anomalies.into_iter();
    let mut found: Vec<_> = anomalies
        .map(|anomaly| (anomaly.runtime, anomaly.func, anomaly.sign))
        .collect();
    found.sort();
    found
}

fn four() -> Synthetic {
    Synthetic::alike(&["a", "b", "c", "d"])
}

fn diff(before: &Synthetic, after: &Synthetic) -> Differences {
    let side = |name: &str, synthetic| Side::of(name, runs(synthetic));
    diff::compare(&side("before", before), &side("after", after), &[])
}

#[test]
fn each_planted_anomaly_is_found_with_its_sign() {
    for (planted, sign) in [
        (Planted::Slow("fd_write", 4.0), Sign::TimePerCall),
        (Planted::Grows("fd_readdir", 0.6), Sign::Growth),
        (Planted::Syscalls("fd_readdir", 3.0), Sign::SyscallsPerCall),
        (Planted::Hops("fd_write", 1.0), Sign::ThreadHops),
        (Planted::Empties("fd_write", 1.0), Sign::EmptyWrites),
        (Planted::Slow("fd_seek", 6.0), Sign::OwnShare),
        (Planted::Copies("fd_read", 2.0), Sign::ExtraBytes),
    ] {
        let func = match &planted {
            Planted::Slow(func, _)
            | Planted::Grows(func, _)
            | Planted::Syscalls(func, _)
            | Planted::Hops(func, _)
            | Planted::Empties(func, _)
            | Planted::Copies(func, _) => (*func).to_owned(),
            other => panic!("{other:?} is no anomaly"),
        };
        let mut four = four().plant(2, planted.clone());
        four.workloads = 7;
        let found = found(&four);
        assert!(
            found.contains(&(2, func.clone(), sign)),
            "{planted:?}: {found:?}"
        );
        // Nothing else is blamed: no other runtime, no other function.
        let blamed = |(runtime, other, _): &(usize, String, Sign)| (*runtime, other) == (2, &func);
        assert!(found.iter().all(blamed), "{planted:?}: {found:?}");
    }
}

#[test]
fn what_two_of_five_have_is_found_in_both() {
    let five = Synthetic::alike(&["a", "b", "c", "d", "e"])
        .plant(1, Planted::Hops("fd_write", 1.0))
        .plant(3, Planted::Hops("fd_write", 1.0));
    let hops = |runtime| (runtime, "fd_write".to_owned(), Sign::ThreadHops);
    assert_eq!(found(&five), [hops(1), hops(3)]);
}

#[test]
fn what_most_have_is_found_if_some_do_without() {
    let mut six = Synthetic::alike(&["a", "b", "c", "d", "e", "f"]);
    for runtime in 0..4 {
        six = six.plant(runtime, Planted::Empties("fd_write", 1.0));
    }
    let of = |runtime| (runtime, "fd_write".to_owned(), Sign::EmptyWrites);
    assert_eq!(found(&six), [of(0), of(1), of(2), of(3)]);
}

#[test]
fn modes_of_one_program_do_not_hide_what_they_have_in_common() {
    let mut modes = Synthetic::alike(&["jit", "aot", "other", "third"])
        .plant(0, Planted::Syscalls("fd_write", 1.0))
        .plant(1, Planted::Syscalls("fd_write", 1.0));
    for mode in 0..2 {
        modes.runtimes[mode].program = "one".to_owned();
    }
    let found = find(&modes).anomalies;
    let mut runtimes: Vec<usize> = found.iter().map(|anomaly| anomaly.runtime).collect();
    runtimes.sort_unstable();
    runtimes.dedup();
    assert_eq!(runtimes, [0, 1], "{found:?}");
    assert!(
        found
            .iter()
            .all(|anomaly| anomaly.script() == "redundant_syscalls")
    );
    // By themselves they are compared with each other.
    let mut alone = Synthetic::alike(&["aot", "jit"]).plant(0, Planted::Hops("fd_write", 1.0));
    for mode in &mut alone.runtimes {
        mode.program = "one".to_owned();
    }
    assert_eq!(
        self::found(&alone),
        [(0, "fd_write".to_owned(), Sign::ThreadHops)]
    );
}

#[test]
fn two_identical_runtimes_show_no_anomaly() {
    for seed in 0..100 {
        let mut pair = Synthetic::alike(&["one", "two"]);
        pair.seed = seed;
        pair.workloads = 2;
        pair.repetitions = 4;
        pair.noise = 0.3;
        let found = find(&pair);
        assert_eq!(found.anomalies, [], "seed {seed}");
        assert!(found.compared > 10, "{found:?}");
    }
}

#[test]
fn false_alarms_are_no_more_frequent_than_stated() {
    const PAIRS: usize = 150;
    let alarms = |names: &[&str], false_alarm| {
        let limits = Limits {
            false_alarm,
            excess: 0.0,
            must_matter: false,
        };
        let alarm = |seed: &usize| {
            let mut alike = Synthetic::alike(names);
            alike.seed = 1000 + *seed as u64;
            alike.workloads = 1;
            alike.repetitions = 3;
            let found = anomaly::find(&study(&alike), &limits);
            !found.anomalies.is_empty()
        };
        (0..PAIRS).filter(alarm).count()
    };
    // One in five, and two standard deviations of chance.
    assert!(alarms(&["one", "two"], 0.2) <= 40);
    assert!(alarms(&["one", "two", "three"], 0.2) <= 40);
    assert!(alarms(&["one", "two"], 0.01) <= 4);
}

#[test]
fn an_anomaly_says_what_it_costs_and_how_many_runs_speak_for_it() {
    let found = find(&four().plant(0, Planted::Slow("fd_write", 5.0)));
    let first = &found.anomalies[0];
    assert_eq!(
        (first.scale, first.here.n, first.peers, first.peer_runs),
        (1000, 5, 2, 10)
    );
    let ratio = first.here.median / first.others;
    assert!((3.5..6.5).contains(&ratio), "{first:?}");
    assert!(
        first.chance < 0.01 && first.excess > 0.5 && first.excess < 1.0,
        "{first:?}"
    );
}

#[test]
fn few_runs_make_no_anomaly_but_are_said_to_be_too_few() {
    let mut once = four().plant(0, Planted::Slow("fd_write", 5.0));
    once.repetitions = 1;
    once.scales = vec![1000];
    let found = find(&once);
    assert_eq!(found.anomalies, []);
    assert!(found.uncertain > 0);
}

#[test]
fn runs_that_failed_are_in_no_number_but_listed() {
    let good = four();
    let failing = good.clone().plant(1, Planted::Fails(0, 100, 2));
    let (study, whole) = (study(&failing), study(&good));
    assert_eq!(study.left_out.len(), 1);
    let left_out = &study.left_out[0];
    // Two repetitions, with and without probes.
    assert_eq!((left_out.runs, left_out.why), (4, "failed"));
    let sizes = |study: &Study| -> Vec<usize> {
        let cells = study.cells.values();
        cells
            .map(|cell| cell.sample(&metric::TOTAL).len())
            .collect()
    };
    assert_eq!(
        sizes(&whole).iter().sum::<usize>() - sizes(&study).iter().sum::<usize>(),
        2
    );
}

#[test]
fn a_run_that_lost_many_calls_is_in_no_number() {
    let study = study(&four().plant(1, Planted::Loses(0, 50)));
    assert!(
        study
            .left_out
            .iter()
            .all(|left_out| left_out.why == "lost calls")
    );
    assert_eq!(
        study
            .left_out
            .iter()
            .map(|left_out| left_out.runs)
            .sum::<usize>(),
        20
    );
    assert_eq!(study.lossy, 0);
}

#[test]
fn the_parts_of_a_run_add_up() {
    for run in runs(&four()).iter().filter(|run| run.observed) {
        let of = |metric: &metric::Metric| (metric.value)(run).unwrap();
        let parts = of(&metric::STARTUP) + of(&metric::GUEST) + of(&metric::OWN);
        assert_eq!(parts + of(&metric::SYSCALL_TIME), run.total.unwrap() as f64);
    }
}

#[test]
fn versions_of_a_runtime_are_not_mixed() {
    let mut both = Synthetic::alike(&["a", "a"]);
    both.runtimes[1].version = "2.0".to_owned();
    assert_eq!(study(&both).runtimes, ["a 1.0", "a 2.0"]);
}

#[test]
fn two_experiments_of_the_same_do_not_differ() {
    for seed in 0..20 {
        let mut before = Synthetic::alike(&["one", "two"]);
        before.seed = 2 * seed;
        let mut after = before.clone();
        after.seed += 1;
        let found = diff(&before, &after);
        assert!(found.rows.len() > 50);
        assert!(
            !found.rows.iter().any(diff::Difference::is_real),
            "seed {seed}"
        );
    }
}

#[test]
fn a_function_that_became_slower_is_named_with_its_ratio() {
    let before = four();
    let mut after = four().plant(0, Planted::Slow("fd_read", 2.0));
    after.seed = 9;
    let found = diff(&before, &after);
    let real: Vec<_> = found.rows.iter().filter(|row| row.is_real()).collect();
    assert!(
        real.iter()
            .all(|row| row.runtime == "a" && row.workload == "seqread")
    );
    let row = real
        .iter()
        .find(|row| row.func.as_deref() == Some("fd_read"))
        .unwrap();
    let ratio = row.ratio.unwrap();
    assert!(
        ratio.low < 2.0 && 1.6 < ratio.ratio && ratio.ratio < 2.4,
        "{ratio:?}"
    );
    assert!(row.is_over(1.1) && !row.is_over(2.5));
}

#[test]
fn what_has_no_good_run_any_more_is_missing() {
    let before = four();
    let after = four().plant(3, Planted::Fails(0, 1000, 5));
    let found = diff(&before, &after);
    assert_eq!(found.missing, ["d seqwrite 1000"]);
    assert_eq!(diff(&after, &before).added, ["d seqwrite 1000"]);
}

#[test]
fn metrics_have_different_names() {
    let mut names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METRICS.len());
}
