//! Measures what a probe costs here: the time of an empty function with and without a probe on it.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ewapa_templates::{Cookie, Image, Role};

use super::attach::{self, Link, Point};
use super::probes::Probes;

// A function that begins with an instruction that the kernel emulates, as most probe sites do.
std::arch::global_asm!(
    ".p2align 4",
    ".globl ewapa_calibration",
    ".type ewapa_calibration,@function",
    "ewapa_calibration:",
    "push rbp",
    "pop rbp",
    "ret",
    ".size ewapa_calibration, . - ewapa_calibration",
);

unsafe extern "C" {
    fn ewapa_calibration();
}

/// Where the function returns: bytes from its begin.
const RETURN: u64 = 2;

/// Calls of one sample.
const CALLS: u32 = 64;

/// Samples; their median counts.
const SAMPLES: usize = 15;

/// What probes cost a call, without what the script does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeCost {
    /// Entry and return.
    pub pair: Duration,
    /// An entry alone.
    pub entry: Duration,
}

impl ProbeCost {
    /// What they cost a call; more if a second probe names it.
    pub fn of_call(self, named_within: bool) -> Duration {
        if named_within {
            self.pair + self.entry
        } else {
            self.pair
        }
    }
}

/// Measures in a thread of its own, beside the run. Nothing is sent if it cannot be measured: it is only
/// told, no number is corrected by it.
///
/// The calling process has to be among those traced: else its probes end early.
pub fn start(probes: Arc<Probes>) -> mpsc::Receiver<ProbeCost> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || measure(&probes, &sender));
    receiver
}

fn measure(probes: &Probes, result: &mpsc::Sender<ProbeCost>) -> Option<()> {
    let bare = sample();
    // With a function it ends at entry, as one does that names a call; without, it is opened and closed. Neither comes
    // before a script.
    let of = |func| Cookie {
        func,
        role: Role::Calibration,
        fd_arg: Cookie::NONE,
        moved_arg: Cookie::NONE,
        abi: 0,
        runtime: 0,
    };
    let (entry, entry_link) = probed(probes, of(0), false)?;
    attach::close(entry_link);
    let (pair, pair_link) = probed(probes, of(Cookie::NONE), true)?;
    // Before the link goes: that takes longer than all of this. Nobody may listen any more.
    let _ = result.send(ProbeCost {
        pair: pair.saturating_sub(bare),
        entry: entry.saturating_sub(bare),
    });
    attach::close(pair_link);
    Some(())
}

/// A sample with a probe, and the probe.
fn probed(probes: &Probes, cookie: Cookie, returns: bool) -> Option<(Duration, Vec<Link>)> {
    let offset = file_offset(ewapa_calibration as *const () as usize as u64)?;
    let point = Point {
        offset,
        cookie: cookie.to_u64(),
        returns,
    };
    let exit = Point {
        offset: offset + RETURN,
        returns: false,
        ..point
    };
    let image = Image {
        count: 1,
        roles: 1 << Role::Calibration as u8,
        ..Image::default()
    };
    let this = Path::new("/proc/self/exe");
    let mut links = Vec::new();
    if returns {
        links.extend(probes.attach_exits(this, &image, &[exit]).ok()?);
    }
    links.extend(probes.attach(this, &image, &[point]).ok()?);
    Some((sample(), links))
}

fn sample() -> Duration {
    let mut samples: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                // SAFETY: the function touches nothing but its own stack slot.
                unsafe { ewapa_calibration() };
            }
            start.elapsed() / CALLS
        })
        .collect();
    samples.sort_unstable();
    samples[SAMPLES / 2]
}

/// The offset in the executable's file of an address in this process.
fn file_offset(address: u64) -> Option<u64> {
    let maps = super::maps::executable_mappings(std::process::id()).ok()?;
    let mapping = maps
        .iter()
        .find(|mapping| mapping.addresses.contains(&address))?;
    Some(address - mapping.addresses.start + mapping.file_offset)
}
