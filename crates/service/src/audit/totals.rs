//! How many rows a log has, without counting millions of them for every page: what is old is counted once, what is new each time.
//! [`super::Audit`] asks it.

use model::ProjectId;
use model::list::ListQuery;
use moka::sync::Cache;
use store::Link;
use store::audit::Reader;

use crate::Result;

/// A row this old (microseconds) has been committed or never will be: no transaction lasts as long, and the recorder writes twice a second.
const SETTLED: i64 = 5 * 60 * 1_000_000;
/// The settled part is counted on when it has grown by this much.
const STEP: i64 = 10 * 60 * 1_000_000;
/// A count is believed this long: rows that were deleted meanwhile are missing in the next.
const LIFETIME: i64 = 3600 * 1_000_000;
const ENTRIES: u64 = 10_000;

/// A part of the log that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    All,
    Project(ProjectId),
}

/// Rows before `until`; the first of them were counted at `begun`. Both in microseconds.
#[derive(Clone, Copy, Debug)]
struct Counted {
    begun: i64,
    until: i64,
    rows: u64,
}

/// Remembers counts. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    known: Cache<Part, Counted>,
}

impl Default for Totals {
    fn default() -> Self {
        Self { known: Cache::new(ENTRIES) }
    }
}

impl Totals {
    /// How many rows there are; `None` for a question that is not remembered: one with a filter, or over several projects.
    pub(super) async fn of(&self, link: &mut Link<'_>, reader: &Reader, query: &ListQuery, now: i64) -> Result<Option<u64>> {
        let part = match reader {
            Reader::All => Part::All,
            Reader::Of(project) => Part::Project(*project),
            Reader::In(_) | Reader::Member(..) => return Ok(None),
        };
        if !query.q.is_empty() {
            return Ok(None);
        }
        let known = self.known.get(&part).filter(|known| now - known.begun < LIFETIME);
        let settled = match known {
            Some(known) if known.until >= now - SETTLED - STEP => known,
            _ => {
                let until = now - SETTLED;
                let newer = store::audit::count(link, reader, known.map(|known| known.until), Some(until)).await?;
                let (begun, rows) = known.map_or((now, 0), |known| (known.begun, known.rows));
                let counted = Counted { begun, until, rows: rows + newer };
                self.known.insert(part, counted);
                counted
            }
        };
        let recent = store::audit::count(link, reader, Some(settled.until), None).await?;
        Ok(Some(settled.rows + recent))
    }
}
