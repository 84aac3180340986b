//! Columns that stand below each other.

use super::line;

/// A table with a heading; what is a number stands to the right.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]], said: &mut String) {
    let widths: [usize; N] = std::array::from_fn(|at| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([heading[at].chars().count()]).max().unwrap_or_default()
    });
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_numeric: [bool; N] =
        std::array::from_fn(|at| !rows.is_empty() && rows.iter().all(|row| is_number(&row[at])));
    let mut put = |cells: [&str; N]| {
        let cell = |(at, text): (usize, &str)| {
            let width = widths[at];
            if is_numeric[at] { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        let cells: Vec<_> = cells.into_iter().enumerate().map(cell).collect();
        line(said, format_args!("{}", cells.join("  ").trim_end()));
    };
    put(heading);
    for row in rows {
        put(std::array::from_fn(|at| row[at].as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut said = String::new();
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        table(["API", "CALLS", "NOTE"], &[row(["ping", "7", ""]), row(["a", "1200", "x"])], &mut said);
        assert_eq!(said, "API   CALLS  NOTE\nping      7\na      1200  x\n");
        said.clear();
        table(["API", "CALLS"], &[], &mut said);
        assert_eq!(said, "API  CALLS\n");
    }
}
