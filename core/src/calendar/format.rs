//! Times as a person wants them written: the letters of `strftime`.

use super::{Civil, DAY, MONTHS, WEEKDAYS};

impl Civil {
    /// The time in a format of `strftime`, with the names of months and days in English.
    ///
    /// # Errors
    /// The letter after a `%` that has no meaning; a `%` at the end is its own.
    pub fn format(&self, format: &str) -> Result<String, char> {
        let mut out = String::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => {
                    let code = letters.next().ok_or('%')?;
                    out += &self.part(code).ok_or(code)?;
                }
                other => out.push(other),
            }
        }
        Ok(out)
    }

    /// What a letter after `%` stands for.
    fn part(&self, letter: char) -> Option<String> {
        let Self { year, month, day, hour, minute, second } = self;
        let days = self.seconds().div_euclid(DAY);
        // 1970-01-01 was a Thursday.
        let day_of_week = usize::try_from((days + 4).rem_euclid(7)).unwrap_or_default();
        let day_name = WEEKDAYS.get(day_of_week).copied().unwrap_or_default();
        let month_name = MONTHS.get(usize::from((*month).clamp(1, 12) - 1))?;
        let half = if *hour < 12 { "AM" } else { "PM" };
        let first = Self { month: 1, day: 1, hour: 0, minute: 0, second: 0, year: *year };
        let twelve = (hour + 11) % 12 + 1;
        Some(match letter {
            'Y' => format!("{year:04}"),
            'y' => format!("{:02}", year.rem_euclid(100)),
            'C' => format!("{:02}", year.div_euclid(100)),
            'm' => format!("{month:02}"),
            'd' => format!("{day:02}"),
            'e' => format!("{day:>2}"),
            'H' => format!("{hour:02}"),
            'I' => format!("{twelve:02}"),
            'M' => format!("{minute:02}"),
            'S' => format!("{second:02}"),
            'p' => half.to_owned(),
            'j' => format!("{:03}", days - first.seconds().div_euclid(DAY) + 1),
            'b' | 'h' => month_name.get(..3)?.to_owned(),
            'B' => (*month_name).to_owned(),
            'a' => day_name.get(..3)?.to_owned(),
            'A' => day_name.to_owned(),
            'u' => if day_of_week == 0 { 7 } else { day_of_week }.to_string(),
            'w' => day_of_week.to_string(),
            'F' => self.format("%Y-%m-%d").ok()?,
            'T' => self.format("%H:%M:%S").ok()?,
            'R' => self.format("%H:%M").ok()?,
            'D' => self.format("%m/%d/%y").ok()?,
            'r' => self.format("%I:%M:%S %p").ok()?,
            'c' => self.format("%a %b %e %H:%M:%S %Y").ok()?,
            'x' => self.format("%m/%d/%y").ok()?,
            'X' => self.format("%H:%M:%S").ok()?,
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_the_format_says() {
        // A Monday.
        let time = Civil::parse("2026-11-23 13:01:31").unwrap();
        for (format, text) in [
            ("%d-%b %H:%M", "23-Nov 13:01"),
            ("%Y-%m-%d %H:%M:%S", "2026-11-23 13:01:31"),
            ("%F %T", "2026-11-23 13:01:31"),
            ("%A, %e %B %Y, %I:%M %p", "Monday, 23 November 2026, 01:01 PM"),
            ("%a %j %u %w %y %C %D %R", "Mon 327 1 1 26 20 11/23/26 13:01"),
            ("100%% %c", "100% Mon Nov 23 13:01:31 2026"),
            ("", ""),
        ] {
            assert_eq!(time.format(format).as_deref(), Ok(text), "{format}");
        }
        let midnight = Civil::parse("2028-03-05 00:07").unwrap();
        assert_eq!(midnight.format("%A %u %I%p %e %B %j").as_deref(), Ok("Sunday 7 12AM  5 March 065"));
    }

    #[test]
    fn a_letter_without_a_meaning_is_told() {
        let time = Civil::of(0);
        assert_eq!((time.format("%H:%Q"), time.format("%E"), time.format("5%")), (Err('Q'), Err('E'), Err('%')));
    }
}
