//! Draws throughputs as bars.

use std::path::PathBuf;

use clap::Args;
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::Failure;

const WIDTH: u32 = 860;
const BAR: i32 = 34;
const GAP: i32 = 16;
const TOP: i32 = 56;
const LEFT: i32 = 330;
/// Of the longest bar; its value stands behind it.
const LENGTH: f64 = 360.0;
const INK: RGBColor = RGBColor(32, 33, 36);
const OTHERS: RGBColor = RGBColor(154, 160, 166);
const OURS: RGBColor = RGBColor(26, 115, 232);

/// Draw a bar chart as SVG
#[derive(Args)]
pub(crate) struct Chart {
    /// The file to write
    #[arg(long)]
    out: PathBuf,
    /// What stands above
    #[arg(long)]
    title: String,
    /// `name=value of the first=value=ours|other`, from top to bottom; the first one is the measure
    bars: Vec<String>,
}

struct Bar {
    label: String,
    rate: f64,
    share: f64,
    ours: bool,
}

impl Chart {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let bars = self.bars.iter().map(|text| bar(text)).collect::<Result<Vec<_>, _>>()?;
        let rows = i32::try_from(bars.len())?;
        let height = u32::try_from(TOP + rows * (BAR + GAP) + GAP / 2)?;
        let area = SVGBackend::new(&self.out, (WIDTH, height)).into_drawing_area();
        // A background of its own, so that it can be read on a dark page too.
        area.fill(&WHITE)?;
        let title = ("sans-serif", 23).into_font().style(FontStyle::Bold).color(&INK);
        area.draw_text(&self.title, &title, (20, 18))?;
        for (row, bar) in (0_i32..).zip(&bars) {
            draw(&area, bar, TOP + row * (BAR + GAP))?;
        }
        area.present()?;
        Ok(())
    }
}

fn bar(text: &str) -> Result<Bar, Failure> {
    let mut parts = text.split('=');
    let mut next = || parts.next().ok_or("a bar is label=rate=share=ours|other");
    let (label, rate, share) = (next()?.to_owned(), next()?.parse()?, next()?.parse()?);
    Ok(Bar { label, rate, share, ours: next()? == "ours" })
}

#[expect(clippy::cast_possible_truncation, reason = "a length in pixels")]
fn draw(area: &DrawingArea<SVGBackend<'_>, Shift>, bar: &Bar, top: i32) -> Result<(), Failure> {
    let right = LEFT + (LENGTH * bar.share.clamp(0.002, 1.05)) as i32;
    let color = if bar.ours { OURS } else { OTHERS };
    area.draw(&Rectangle::new([(LEFT, top), (right, top + BAR)], color.filled()))?;
    let text = |anchor| ("sans-serif", 18).into_font().color(&INK).pos(Pos::new(anchor, VPos::Center));
    let middle = top + BAR / 2;
    area.draw_text(&bar.label, &text(HPos::Right), (LEFT - 10, middle))?;
    let value = format!("{:.0} %  ({:.0}/s)", bar.share * 100.0, bar.rate);
    area.draw_text(&value, &text(HPos::Left), (right + 8, middle))?;
    Ok(())
}
