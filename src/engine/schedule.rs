//! When tables and maps are printed while the run goes on.

use std::time::{Duration, Instant};

use ewapa_lang::plan::Plan;

/// What is printed again and again.
#[derive(Debug)]
pub struct Schedule(Vec<Appointment>);

#[derive(Debug)]
struct Appointment {
    /// None: all maps.
    table: Option<usize>,
    period: Duration,
    due: Instant,
}

/// What is to be printed now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Tables of the plan, by index.
    pub tables: Vec<usize>,
    /// All maps.
    pub maps: bool,
}

impl Schedule {
    /// The tables of a plan with `every`, from now on; with an interval all others, and the maps, too.
    pub fn new(plan: &Plan, interval: Option<Duration>, now: Instant) -> Schedule {
        let interval = interval.filter(|interval| !interval.is_zero());
        let tables = plan.tables.iter().enumerate();
        let mut appointments: Vec<Appointment> = tables
            .filter_map(|(table, planned)| {
                let period = planned.every.map(Duration::from_nanos).or(interval)?;
                Some(Appointment {
                    table: Some(table),
                    period,
                    due: now + period,
                })
            })
            .collect();
        if let (Some(period), false) = (interval, plan.maps.is_empty()) {
            appointments.push(Appointment {
                table: None,
                period,
                due: now + period,
            });
        }
        Schedule(appointments)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Instant> {
        self.0.iter().map(|appointment| appointment.due).min()
    }

    /// What is due now. What was missed is not made up for.
    pub fn take(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        for appointment in &mut self.0 {
            if appointment.due > now {
                continue;
            }
            match appointment.table {
                Some(table) => due.tables.push(table),
                None => due.maps = true,
            }
            while appointment.due <= now {
                appointment.due += appointment.period;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_due_once_however_late_it_is() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut schedule = Schedule(vec![Appointment {
            table: Some(3),
            period: second,
            due: start + second,
        }]);
        assert_eq!(schedule.take(start), Due::default());
        assert_eq!(schedule.take(start + 5 * second).tables, vec![3]);
        assert_eq!(schedule.next(), Some(start + 6 * second));
    }

    #[test]
    fn an_interval_shows_all_tables_and_maps() {
        let text = "table t from wasi:* { calls = count() } wasi:* { @n = count(); }";
        let compiled = ewapa_lang::compile(text, &ewapa_lang::Environment::default(), &[]).unwrap();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut schedule = Schedule::new(&compiled.plan, Some(second), start);
        let all = Due {
            tables: vec![0],
            maps: true,
        };
        assert_eq!(schedule.take(start + second), all);
        assert_eq!(Schedule::new(&compiled.plan, None, start).next(), None);
    }
}
