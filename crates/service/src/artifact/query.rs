//! The keys of `q` that are no columns: tags, labels, base (API conventions 1.3).

use model::list::{ListQuery, Op};
use store::artifact::{Filter, TagFilter};

use crate::{Error, Result};

/// Labels that one query may ask for.
const MAX_LABELS: usize = 50;

/// What the query asks beyond columns.
///
/// # Errors
/// 400 for tags or labels asked in a way they do not know.
pub(super) fn filter(query: &ListQuery) -> Result<Filter> {
    let mut filter = Filter::default();
    for term in &query.q {
        match term.key.as_str() {
            "tags" => filter.tags = Some(tags(&term.op)?),
            "labels" => filter.labels.extend(labels(&term.op)?),
            "base" => filter.everything |= matches!(&term.op, Op::Exact(value) if value.text() == "*"),
            _ => {}
        }
    }
    if filter.labels.len() > MAX_LABELS {
        return Err(Error::bad_request(format!("at most {MAX_LABELS} labels can be asked for at once")));
    }
    Ok(filter)
}

/// The latest of each repository is asked for of one media type or of one artifact type (projects reference, 7.1).
///
/// # Errors
/// 400 when neither is asked for, or both.
pub(super) fn check_one_type(query: &ListQuery) -> Result<()> {
    let asks = |keys: [&str; 2]| query.q.iter().any(|term| keys.contains(&term.key.as_str()));
    if asks(["media_type", "MediaType"]) == asks(["artifact_type", "ArtifactType"]) {
        let message = "either 'media_type' or 'artifact_type' must be specified, but not both, when querying with latest_in_repository";
        return Err(Error::bad_request(message));
    }
    Ok(())
}

fn tags(op: &Op) -> Result<TagFilter> {
    match op {
        Op::Exact(value) => Ok(match value.text() {
            "*" => TagFilter::Any,
            "nil" => TagFilter::None,
            name => TagFilter::Exact(name.to_owned()),
        }),
        Op::Fuzzy(text) => Ok(TagFilter::Fuzzy(text.clone())),
        _ => Err(Error::bad_request("the value of \"tags\" query can only be fuzzy match value or exact match value")),
    }
}

fn labels(op: &Op) -> Result<Vec<i64>> {
    let ids = match op {
        Op::AndList(values) => values.iter().map(|v| v.as_int()).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    ids.ok_or_else(|| Error::bad_request("the value of \"labels\" query can only be integer list with intersetion relationship"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::list::{Paging, parse_q};

    fn of(q: &str) -> Result<Filter> {
        filter(&ListQuery::new(Paging::default(), parse_q(q).unwrap(), Vec::new()))
    }

    #[test]
    fn the_latest_are_those_of_one_type() {
        for (q, is_one) in [
            ("media_type=a", true),
            ("artifact_type=a,type=IMAGE", true),
            ("MediaType=a", true),
            ("", false),
            ("type=IMAGE", false),
            ("media_type=a,artifact_type=b", false),
        ] {
            let checked = check_one_type(&ListQuery::new(Paging::default(), parse_q(q).unwrap(), Vec::new()));
            assert_eq!(checked.map_err(|error| error.status), if is_one { Ok(()) } else { Err(400) }, "{q}");
        }
    }

    #[test]
    fn tags_and_labels_know_some_ways_to_ask() {
        assert_eq!(of("tags=*").unwrap().tags, Some(TagFilter::Any));
        assert_eq!(of("tags=nil").unwrap().tags, Some(TagFilter::None));
        assert_eq!(of("tags=~v%").unwrap().tags, Some(TagFilter::Fuzzy("v%".into())));
        assert_eq!(of("labels=(1 2),base=*").unwrap(), Filter { everything: true, labels: vec![1, 2], ..Filter::default() });
        assert!(!of("base=1").unwrap().everything);
        for bad in ["tags={v1 v2}", "tags=[a~b]", "labels=1", "labels=(good)", "labels={1 2}", "labels=~1"] {
            assert_eq!(of(bad).unwrap_err().status, 400, "{bad}");
        }
    }
}
