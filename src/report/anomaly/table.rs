//! Anomalies as a table.

use std::io::{self, Write};

use crate::output::sheet::{Sheet, Side};
use crate::output::words::count;
use crate::report::document::{self, Document};
use crate::report::show;
use crate::report::study::Study;

use super::{Anomaly, FALSE_ALARM, Found};

const CSV_HEADINGS: [&str; 18] = [
    "rank",
    "runtime",
    "function",
    "sign",
    "workload",
    "also",
    "scale",
    "runs",
    "value",
    "low",
    "high",
    "others",
    "other_runtimes",
    "other_runs",
    "chance",
    "excess",
    "more",
    "script",
];

/// The anomalies as a text with a table.
pub fn document(study: &Study, found: &Found) -> Document {
    let mut document = Document::default();
    document.heading("anomalies");
    document.text(notes(found));
    if !found.anomalies.is_empty() {
        document.table(sheet(study, found));
    }
    document
}

/// What is to be known before the table is read.
pub fn notes(found: &Found) -> Vec<String> {
    let mut notes = vec![match found.anomalies.len() {
        0 if found.compared == 0 => {
            "nothing can be compared: it takes observed runs of two runtimes with one workload"
                .to_owned()
        }
        0 => format!("none in {}", count(found.compared, "comparison")),
        number => format!(
            "{} in {}",
            count(number, "departure"),
            count(found.compared, "comparison")
        ),
    }];
    if found.compared > 0 {
        notes.push(format!(
            "If no runtime differed from the others, the chance of any entry would be {} at most.",
            show::percent(FALSE_ALARM)
        ));
    }
    if found.uncertain > 0 {
        notes.push(format!(
            "{} large enough, but may be noise: more repetitions would tell.",
            match found.uncertain {
                1 => "1 more departure is".to_owned(),
                more => format!("{more} more departures are"),
            }
        ));
    }
    notes
}

/// The anomalies with their evidence.
pub fn sheet(study: &Study, found: &Found) -> Sheet {
    let mut table = document::sheet(&[
        ("#", Side::Right),
        ("RUNTIME", Side::Left),
        ("FUNCTION", Side::Left),
        ("WHAT DEPARTS", Side::Left),
        ("HERE", Side::Right),
        ("OTHERS", Side::Right),
        ("RATIO", Side::Right),
        ("EXCESS", Side::Right),
        ("RUNS", Side::Right),
        ("CHANCE", Side::Right),
        ("WHERE", Side::Left),
        ("MORE A CALL", Side::Left),
        ("RUN NEXT", Side::Left),
    ]);
    // On a narrow terminal the parts come below each other.
    table.groups = [4, 6, 3].map(|width| (String::new(), width)).to_vec();
    for (index, anomaly) in found.anomalies.iter().enumerate() {
        table.lines.push(line(study, index, anomaly));
    }
    table.notes = vec![
        "HERE and OTHERS are medians at the scale in WHERE; RUNS are the runtime's and those of the others that have less."
            .to_owned(),
        "Modes of one program are not compared with each other if there are others.".to_owned(),
        "MORE A CALL is what the others have less of.".to_owned(),
        "EXCESS is the time beyond the others' time per call, as a part of the run's total.".to_owned(),
        "Growth ^1 is in proportion to the scale, ^2 with its square.".to_owned(),
        "RUN NEXT is a script: `ewapa script NAME -- COMMAND` with the runtime's command.".to_owned(),
    ];
    table
}

fn line(study: &Study, index: usize, anomaly: &Anomaly) -> Vec<String> {
    let ratio = (anomaly.others > 0.0).then(|| anomaly.here.median / anomaly.others);
    let mut place = format!("{} {}", study.workloads[anomaly.workload], anomaly.scale);
    if !anomaly.also.is_empty() {
        place.push_str(&format!(", {} more", count(anomaly.also.len(), "workload")));
    }
    vec![
        (index + 1).to_string(),
        study.runtimes[anomaly.runtime].clone(),
        anomaly.func.clone(),
        anomaly.sign.title().to_owned(),
        anomaly.sign.show(anomaly.here.median),
        anomaly.sign.show(anomaly.others),
        show::times(ratio),
        show::percent(anomaly.excess),
        format!("{}:{}", anomaly.here.n, anomaly.peer_runs),
        chance(anomaly.chance),
        place,
        anomaly.evidence.show(anomaly.sign),
        anomaly.script().to_owned(),
    ]
}

fn chance(chance: f64) -> String {
    match chance {
        chance if chance < 1e-6 => "<1e-6".to_owned(),
        chance => format!("{chance:.0e}"),
    }
}

/// Writes the anomalies as comma-separated values, in base units.
///
/// # Errors
/// It cannot be written.
pub fn write_csv(out: &mut dyn Write, study: &Study, found: &Found) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(CSV_HEADINGS)?;
    for (index, anomaly) in found.anomalies.iter().enumerate() {
        writer.write_record(csv_fields(study, index, anomaly))?;
    }
    writer.flush()
}

fn csv_fields(study: &Study, index: usize, anomaly: &Anomaly) -> Vec<String> {
    let also: Vec<&str> = anomaly
        .also
        .iter()
        .map(|workload| study.workloads[*workload].as_str())
        .collect();
    vec![
        (index + 1).to_string(),
        study.runtimes[anomaly.runtime].clone(),
        anomaly.func.clone(),
        anomaly.sign.name().to_owned(),
        study.workloads[anomaly.workload].clone(),
        also.join(" "),
        anomaly.scale.to_string(),
        anomaly.here.n.to_string(),
        anomaly.here.median.to_string(),
        anomaly.here.low.to_string(),
        anomaly.here.high.to_string(),
        anomaly.others.to_string(),
        anomaly.peers.to_string(),
        anomaly.peer_runs.to_string(),
        anomaly.chance.to_string(),
        anomaly.excess.to_string(),
        anomaly.evidence.show(anomaly.sign),
        anomaly.script().to_owned(),
    ]
}
