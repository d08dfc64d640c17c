//! When tables are printed while the run goes on.

use std::time::{Duration, Instant};

use ewapa_lang::plan::Plan;

/// The tables that are printed again and again.
#[derive(Debug)]
pub struct Schedule(Vec<Appointment>);

#[derive(Debug)]
struct Appointment {
    table: usize,
    period: Duration,
    due: Instant,
}

impl Schedule {
    /// The tables of a plan with `every`, from now on.
    pub fn new(plan: &Plan, now: Instant) -> Schedule {
        let tables = plan.tables.iter().enumerate();
        let appointments = tables.filter_map(|(table, planned)| {
            let period = Duration::from_nanos(planned.every?);
            Some(Appointment {
                table,
                period,
                due: now + period,
            })
        });
        Schedule(appointments.collect())
    }

    /// When the next table is due.
    pub fn next(&self) -> Option<Instant> {
        self.0.iter().map(|appointment| appointment.due).min()
    }

    /// The tables that are due now. What was missed is not made up for.
    pub fn take(&mut self, now: Instant) -> Vec<usize> {
        let mut tables = Vec::new();
        for appointment in &mut self.0 {
            if appointment.due > now {
                continue;
            }
            tables.push(appointment.table);
            while appointment.due <= now {
                appointment.due += appointment.period;
            }
        }
        tables
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
            table: 3,
            period: second,
            due: start + second,
        }]);
        assert_eq!(schedule.take(start), Vec::<usize>::new());
        assert_eq!(schedule.take(start + 5 * second), vec![3]);
        assert_eq!(schedule.next(), Some(start + 6 * second));
    }
}
