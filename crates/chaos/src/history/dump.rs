//! A history as a file that people can search.

use std::io::{self, Write};

use super::{History, Reach};

/// Writes a line for each fault, change that was not confirmed and request, in the order of time.
pub fn dump(history: &History, into: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    for fault in &history.faults {
        let whom = match fault.reach {
            Reach::All => "all".to_owned(),
            Reach::One(process) => format!("process {process}"),
        };
        lines.push((fault.begun, format!("fault\t{}\t{whom}\tbegins", fault.kind)));
        lines.push((fault.applied, format!("fault\t{}\t{whom}\tholds", fault.kind)));
        lines.push((fault.healing, format!("fault\t{}\t{whom}\theals", fault.kind)));
        lines.push((fault.healed, format!("fault\t{}\t{whom}\tis over", fault.kind)));
    }
    for stall in &history.stalls {
        let whom = stall.engine.map_or_else(|| "machine".to_owned(), |engine| format!("{engine:?}"));
        lines.push((stall.from, format!("stall\t{whom}\t{} us", stall.to - stall.from)));
    }
    for line in &history.unconfirmed {
        lines.push((line.at, format!("unconfirmed\tprocess {}\tuser id {}", line.process, line.id)));
    }
    for event in &history.events {
        let user = event.user.map_or_else(String::new, |user| {
            let id = history.id(user).map_or_else(|| "?".to_owned(), |id| id.to_string());
            format!("user {user} (id {id})")
        });
        let took = event.received - event.sent;
        let (process, version) = (event.process, event.version);
        let text = format!(
            "{}\tprocess {process}\t{user}\tversion {version}\t{}\t{took} us",
            event.op, event.answer
        );
        lines.push((event.sent, text));
    }
    for board in &history.boards {
        let places: Vec<_> =
            board.places.iter().map(|place| format!("{}:{}", place.id, place.calls)).collect();
        lines.push((
            board.received,
            format!(
                "board\tprocess {}\t{}\t{}",
                board.process,
                if board.is_stale { "stale" } else { "live" },
                places.join(" ")
            ),
        ));
    }
    lines.sort();
    for (at, text) in lines {
        writeln!(into, "{at}\t{text}")?;
    }
    for ((api, id), calls) in &history.end.ledger {
        let live = history.end.live.get(&(*api, *id)).copied().unwrap_or(0);
        writeln!(into, "end\t{}\tid {id}\tledger {calls}\tlive {live}", api.name())?;
    }
    Ok(())
}
