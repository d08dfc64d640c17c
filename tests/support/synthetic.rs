//! Results files of experiments that were never run: with noise, with what was planted, and always the same.

#![allow(dead_code, reason = "each user of it uses a part")]

use std::fmt::Write;

use serde_json::{Value, json};

/// An experiment.
#[derive(Debug, Clone)]
pub struct Synthetic {
    /// The runtimes.
    pub runtimes: Vec<Runtime>,
    /// How many of the workloads there are.
    pub workloads: usize,
    /// The scales.
    pub scales: Vec<u64>,
    /// Runs of each cell, both with probes and without.
    pub repetitions: u32,
    /// How far runs are apart: the deviation of the logarithm of their times.
    pub noise: f64,
    /// What makes the noise.
    pub seed: u64,
}

/// A runtime.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The name of its program; empty where that is not known.
    pub program: String,
    /// How many times as long as another all takes.
    pub slowness: f64,
    /// What is wrong with it.
    pub planted: Vec<Planted>,
}

/// What can be wrong with a runtime.
#[derive(Debug, Clone, PartialEq)]
pub enum Planted {
    /// Calls of a function take so many times as long.
    Slow(&'static str, f64),
    /// Calls of a function make so many more system calls.
    Syscalls(&'static str, f64),
    /// Calls of a function wake so many threads.
    Hops(&'static str, f64),
    /// Of the calls of a function one in ten is empty, and makes so many system calls.
    Empties(&'static str, f64),
    /// System calls of a function move so many times the bytes.
    Copies(&'static str, f64),
    /// Time of a function grows with the scale to this power more.
    Grows(&'static str, f64),
    /// Of its runs with this workload at this scale, those of the first repetitions fail.
    Fails(usize, u64, u32),
    /// Of its observed runs with this workload so many of a thousand calls are lost.
    Loses(usize, u64),
}

/// A function: its name, calls for each unit of scale, nanoseconds and bytes a call, system calls a call.
type Function = (&'static str, f64, f64, f64, f64);

/// The workloads by name.
const WORKLOADS: [(&str, &[Function]); 8] = [
    (
        "seqwrite",
        &[
            ("fd_write", 8.0, 6_000.0, 4096.0, 1.0),
            ("path_open", 0.0, 20_000.0, 0.0, 2.0),
        ],
    ),
    (
        "seqread",
        &[
            ("fd_read", 8.0, 3_000.0, 4096.0, 1.0),
            ("path_open", 0.0, 20_000.0, 0.0, 2.0),
        ],
    ),
    (
        "readdir",
        &[
            ("fd_readdir", 1.0, 40_000.0, 2048.0, 2.0),
            ("path_open", 0.0, 20_000.0, 0.0, 2.0),
        ],
    ),
    (
        "openclose",
        &[
            ("path_open", 4.0, 20_000.0, 0.0, 2.0),
            ("fd_close", 4.0, 1_500.0, 0.0, 1.0),
        ],
    ),
    (
        "clock",
        &[
            ("clock_time_get", 40.0, 90.0, 0.0, 0.0),
            ("random_get", 4.0, 900.0, 16.0, 1.0),
        ],
    ),
    (
        "copy",
        &[
            ("fd_read", 4.0, 3_000.0, 4096.0, 1.0),
            ("fd_write", 4.0, 5_000.0, 4096.0, 1.0),
        ],
    ),
    (
        "randomrw",
        &[
            ("fd_seek", 4.0, 400.0, 0.0, 0.3),
            ("fd_pread", 4.0, 2_500.0, 512.0, 1.0),
        ],
    ),
    ("stdio", &[("fd_write", 90.0, 1_300.0, 24.0, 1.0)]),
];

impl Synthetic {
    /// Runtimes of these names that do all alike.
    pub fn alike(names: &[&str]) -> Synthetic {
        Synthetic {
            runtimes: names
                .iter()
                .map(|name| Runtime {
                    name: (*name).to_owned(),
                    version: "1.0".to_owned(),
                    program: String::new(),
                    slowness: 1.0,
                    planted: Vec::new(),
                })
                .collect(),
            workloads: 3,
            scales: vec![1, 10, 100, 1000],
            repetitions: 5,
            noise: 0.08,
            seed: 1,
        }
    }

    /// Plants something in the runtime of this place.
    pub fn plant(mut self, runtime: usize, planted: Planted) -> Synthetic {
        self.runtimes[runtime].planted.push(planted);
        self
    }

    /// The file.
    pub fn lines(&self) -> String {
        let mut random = Random(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut runs = Vec::new();
        for (workload, (name, functions)) in WORKLOADS.iter().enumerate().take(self.workloads) {
            for scale in &self.scales {
                for repetition in 0..self.repetitions {
                    for runtime in &self.runtimes {
                        for observed in [false, true] {
                            let place = Place {
                                workload,
                                name,
                                functions,
                                scale: *scale,
                                repetition,
                                observed,
                            };
                            runs.push(self.run(runtime, &place, runs.len(), &mut random));
                        }
                    }
                }
            }
        }
        let head = json!({
            "type": "experiment", "schema": 1, "ewapa": "0.1.0", "began": 1_790_000_000u64,
            "machine": "Linux 6.18.0, a synthetic processor, 2 of them", "seed": self.seed, "plan": "",
            "runs": runs.len(),
        });
        let mut text = String::new();
        for line in std::iter::once(&head).chain(&runs) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn run(&self, runtime: &Runtime, place: &Place, order: usize, random: &mut Random) -> Value {
        let mut run = json!({
            "type": "run", "runtime": runtime.name, "version": runtime.version, "program": runtime.program, "workload": place.name,
            "scale": place.scale, "repetition": place.repetition, "order": order,
            "observed": place.observed, "outcome": "ok", "total": null, "peak_memory": null,
        });
        let fails = runtime.planted.iter().any(|planted| {
            matches!(planted, Planted::Fails(workload, scale, runs)
                if (*workload, *scale) == (place.workload, place.scale) && place.repetition < *runs)
        });
        if fails {
            run["outcome"] = json!("failed");
            run["detail"] = json!("exit code 134: <b>assertion & failed</b>\n | at memory.c:12");
            return run;
        }
        // What makes a run slow makes all of it slow.
        let luck = random.noise(self.noise) * runtime.slowness;
        let mut wasi = 0;
        let mut functions = Vec::new();
        let mut calls_of_all = 0;
        for function in place.functions {
            let (value, duration, calls) = self.function(runtime, function, place, luck, random);
            wasi += duration;
            calls_of_all += calls;
            functions.push(value);
        }
        let startup = (18e6 * luck * random.noise(self.noise)) as u64;
        let guest = (place.scale as f64 * 9e3 * luck * random.noise(self.noise)) as u64;
        let probes = if place.observed {
            calls_of_all * 900
        } else {
            0
        };
        run["total"] = json!(startup + guest + wasi + probes);
        run["peak_memory"] = json!((14e6 * random.noise(0.01)) as u64 / 4096 * 4096);
        if place.observed {
            run["startup"] = json!(startup);
            run["functions"] = json!(functions);
            run["probe_cost"] = json!(900);
            let lost = runtime.planted.iter().find_map(|planted| match planted {
                Planted::Loses(workload, lost) if *workload == place.workload => Some(*lost),
                _ => None,
            });
            run["lost"] = json!(lost.map_or(0, |lost| (calls_of_all * lost).div_ceil(1000)));
        }
        run
    }

    /// A function's numbers, its time and its calls.
    fn function(
        &self,
        runtime: &Runtime,
        (func, per_scale, time, bytes, syscalls): &Function,
        place: &Place,
        luck: f64,
        random: &mut Random,
    ) -> (Value, u64, u64) {
        let mut slow = 1.0;
        let mut more_syscalls = 0.0;
        let mut hops = 0.0;
        let mut copies = 1.0;
        let mut for_empty = 0.0;
        for planted in &runtime.planted {
            match planted {
                Planted::Slow(name, times) if name == func => slow *= times,
                Planted::Grows(name, power) if name == func => {
                    slow *= (place.scale as f64).powf(*power);
                }
                Planted::Syscalls(name, more) if name == func => more_syscalls += more,
                Planted::Hops(name, each) if name == func => hops += each,
                Planted::Empties(name, each) if name == func => for_empty += each,
                Planted::Copies(name, times) if name == func => copies *= times,
                _ => {}
            }
        }
        let calls = (per_scale * place.scale as f64).max(1.0);
        let syscall_time = 600.0 * (syscalls + more_syscalls) * calls * luck;
        let own = (time * slow - 600.0 * syscalls).max(20.0) * calls * luck;
        let duration = (own * random.noise(self.noise) + syscall_time) as u64;
        let each = duration as f64 / calls;
        let empty = if *func == "fd_write" {
            (calls / 10.0).ceil()
        } else {
            0.0
        };
        let value = json!({
            "func": func, "calls": calls as u64, "errors": 0, "duration": duration,
            "syscall_time": syscall_time as u64, "syscalls": ((syscalls + more_syscalls) * calls) as u64,
            "bytes": (bytes * calls) as u64, "syscall_bytes": (bytes * copies * calls) as u64,
            "thread_hops": (hops * calls) as u64, "empty": empty as u64,
            "for_empty": (for_empty * empty) as u64,
            "inside": { "work": (syscalls * calls) as u64, "extra": (more_syscalls * calls) as u64 }, "p50": each as u64, "p99": (each * 3.0) as u64,
            "max": (each * 9.0) as u64,
        });
        (value, duration, calls as u64)
    }
}

struct Place<'a> {
    workload: usize,
    name: &'a str,
    functions: &'a [Function],
    scale: u64,
    repetition: u32,
    observed: bool,
}

/// Numbers that only look as if they were drawn (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A factor around 1, of which one in fifty goes far astray, as times do.
    fn noise(&mut self, deviation: f64) -> f64 {
        let normal = (0..12).map(|_| self.next()).sum::<f64>() - 6.0;
        let astray = if self.next() < 0.02 { 3.0 } else { 1.0 };
        (normal * deviation).exp() * astray
    }
}
