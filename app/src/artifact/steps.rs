//! Build history and layers as one list: each step with the layer it made. Pure; the layers table shows it.

use super::{HistoryRow, LayerRow};

/// A build step, a layer, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The command in the words of a build file; empty where no history tells it.
    pub command: String,
    /// The layer it made, if any.
    pub layer: Option<LayerRow>,
}

/// Pairs history with layers, in order. Where the two do not fit (some builders write no or a wrong history), nothing is guessed: the layers
/// come without commands, then the commands without layers.
pub fn steps(history: &[HistoryRow], layers: &[LayerRow]) -> Vec<Step> {
    let making = history.iter().filter(|step| !step.empty_layer).count();
    if making != layers.len() {
        let layers = layers.iter().map(|layer| Step { command: String::new(), layer: Some(layer.clone()) });
        let history = history.iter().map(|step| Step { command: command(step), layer: None });
        return layers.chain(history).collect();
    }
    let mut layers = layers.iter().cloned();
    history.iter().map(|step| Step { command: command(step), layer: if step.empty_layer { None } else { layers.next() } }).collect()
}

/// A step as somebody wrote it: without the shell and the marks that builders put around it.
fn command(step: &HistoryRow) -> String {
    let raw = step.created_by.trim();
    let raw = raw.strip_suffix("# buildkit").unwrap_or(raw).trim();
    let text = if let Some(instruction) = raw.strip_prefix("/bin/sh -c #(nop)") {
        instruction.trim().to_owned()
    } else if let Some(run) = raw.strip_prefix("RUN /bin/sh -c ").or_else(|| raw.strip_prefix("/bin/sh -c ")) {
        format!("RUN {}", run.trim())
    } else {
        raw.to_owned()
    };
    if text.is_empty() { step.comment.trim().to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(created_by: &str, empty_layer: bool) -> HistoryRow {
        HistoryRow { created_by: created_by.into(), comment: String::new(), empty_layer }
    }

    fn layer(size: u64) -> LayerRow {
        LayerRow { digest: format!("sha256:{size:064x}"), media_type: String::new(), size, title: String::new() }
    }

    #[test]
    fn commands_lose_what_builders_wrap_around_them() {
        for (raw, text) in [
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("RUN /bin/sh -c make # buildkit", "RUN make"),
            ("COPY . /app # buildkit", "COPY . /app"),
            ("ENV A=b", "ENV A=b"),
        ] {
            assert_eq!(command(&step(raw, false)), text);
        }
        let remark = HistoryRow { comment: "imported".into(), ..HistoryRow::default() };
        assert_eq!(command(&remark), "imported");
    }

    #[test]
    fn each_layer_stands_beside_the_step_that_made_it() {
        let history = [step("ADD rootfs /", false), step("ENV A=b", true), step("COPY x /", false)];
        let steps = steps(&history, &[layer(1), layer(2)]);
        let sizes: Vec<_> = steps.iter().map(|step| step.layer.as_ref().map(|layer| layer.size)).collect();
        assert_eq!(sizes, [Some(1), None, Some(2)]);
    }

    #[test]
    fn nothing_is_guessed_when_they_do_not_fit() {
        let steps = steps(&[step("COPY x /", false)], &[layer(1), layer(2)]);
        let shape: Vec<_> = steps.iter().map(|step| (step.command.is_empty(), step.layer.is_some())).collect();
        assert_eq!(shape, [(true, true), (true, true), (false, false)]);
        assert!(super::steps(&[], &[]).is_empty());
    }
}
