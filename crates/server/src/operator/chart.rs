//! Calls over time as a line chart, drawn here as SVG: the page needs no script to show it. Colours and type are the style sheet's, which tells the
//! lines by the colours that are given here.

use plotters::prelude::*;
use tollbar_core::domain::{Outcomes, Step, Timestamp};

use super::times;

const INK: RGBColor = RGBColor(0x70, 0x70, 0x70);
const GRID: RGBColor = RGBColor(0xCC, 0xCC, 0xCC);

type Count = fn(&Outcomes) -> u64;

/// The lines: what is counted, and its colour, of those that people with any sight for colours can tell apart (Okabe and Ito, "Color Universal Design",
/// 2008).
const LINES: [(Count, RGBColor); 3] = [
    (|outcomes| outcomes.refused, RGBColor(0xCC, 0x79, 0xA7)),
    (|outcomes| outcomes.limited, RGBColor(0xD5, 0x5E, 0x00)),
    (|outcomes| outcomes.admitted, RGBColor(0x00, 0x72, 0xB2)),
];

/// In pixels, before the page fits it to its width.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// How many times are written below it at most.
    pub(crate) times: usize,
}

type Failure = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

/// Draws it. `None`: there is nothing to draw, or nothing that can be.
pub(crate) fn draw(series: &[(Timestamp, Outcomes)], step: Step, size: Size) -> Option<String> {
    let mut svg = String::new();
    if series.is_empty() {
        return None;
    }
    if let Err(error) = draw_into(&mut svg, series, step, size) {
        tracing::warn!(%error, "a chart was not drawn");
        return None;
    }
    Some(svg)
}

fn draw_into(
    svg: &mut String,
    series: &[(Timestamp, Outcomes)],
    step: Step,
    size: Size,
) -> Result<(), Failure> {
    let most = series.iter().flat_map(|(_, outcomes)| LINES.map(|(count, _)| count(outcomes))).max();
    // A flat line is at the foot and not in the middle.
    let most = most.unwrap_or(0).max(4);
    let area = SVGBackend::with_string(svg, (size.width, size.height)).into_drawing_area();
    let text = || ("sans-serif", 16).into_font().color(&INK);
    let across = (0..(series.len() - 1).max(1)).with_key_points(marked(series, step, size.times));
    let mut chart = ChartBuilder::on(&area)
        .margin(6)
        .margin_right(24)
        .x_label_area_size(26)
        .y_label_area_size(58)
        .build_cartesian_2d(across, 0..most + most / 20)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(size.times)
        .x_label_formatter(&|at| {
            series.get(*at).map_or_else(String::new, |(start, _)| times::label(*start, step))
        })
        .y_labels(5)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style(text())
        .draw()?;
    for (count, colour) in LINES {
        let points = series.iter().enumerate().map(|(at, (_, outcomes))| (at, count(outcomes)));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
    }
    area.present()
}

/// At which times one is written: round ones, evenly apart.
fn marked(series: &[(Timestamp, Outcomes)], step: Step, most: usize) -> Vec<usize> {
    let apart: &[u64] = match step {
        Step::Minute => &[1, 5, 15, 30, 60, 180, 360, 720],
        Step::Hour => &[1, 3, 6, 12, 24, 72, 120, 240],
        Step::Day => &[1, 7, 14, 28, 56, 112],
    };
    let length = u64::try_from(step.length().as_micros()).unwrap_or(u64::MAX);
    let at = |apart: u64| -> Vec<usize> {
        let numbered = series.iter().enumerate();
        let round = numbered.filter(|(_, (start, _))| (start.as_micros() / length).is_multiple_of(apart));
        round.map(|(at, _)| at).collect()
    };
    apart.iter().map(|apart| at(*apart)).find(|marked| marked.len() <= most).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 400, height: 200, times: 4 };

    #[test]
    fn there_is_a_line_for_each_outcome_and_nothing_that_a_strict_policy_forbids() {
        let minute = |number: u64, admitted| {
            let outcomes = Outcomes { admitted, limited: 2, ..Outcomes::default() };
            (Timestamp::from_micros(number * 60_000_000), outcomes)
        };
        let series: Vec<_> = (0..1_441).map(|number| minute(number, number * 1_000_000)).collect();
        let svg = draw(&series, Step::Minute, SIZE).unwrap();
        assert_eq!(svg.matches("stroke-width=\"2\"").count(), 3, "{svg}");
        assert!(!svg.contains("style=") && !svg.contains("script"), "{svg}");
        assert!(svg.contains("12:00"), "{svg}");
        assert_eq!(marked(&series, Step::Minute, 9)[..3], [0, 180, 360]);
        assert_eq!(marked(&series, Step::Minute, 3), [0, 720, 1_440]);
        for length in [1, 2] {
            assert!(draw(&series[..length], Step::Day, SIZE).is_some());
        }
        assert_eq!(draw(&[], Step::Hour, SIZE), None);
    }
}
