//! Colours, on terminals only.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Reset, Style};

/// Errors.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Success.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Remarks. Not yellow, which is unreadable on white.
pub(crate) const NOTE: Style = Style::new().bold();
/// Messages from the car.
pub(crate) const PEV: Style = AnsiColor::Cyan.on_default();
/// Messages from the charger.
pub(crate) const EVSE: Style = AnsiColor::Magenta.on_default();
/// The result of a session.
pub(crate) const END: Style = Style::new().bold();
/// Less important text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Ends any style.
pub(crate) const RESET: Reset = Reset;

/// The styles for standard output; none without a terminal, or if `NO_COLOR` is set.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Whether colours are used.
    pub enabled: bool,
}

impl Palette {
    /// The palette for standard output.
    pub fn stdout() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        Self { enabled: choice != anstream::ColorChoice::Never }
    }

    /// `style`, or no style.
    pub fn with(self, style: Style) -> Style {
        if self.enabled { style } else { Style::new() }
    }

    /// A text in a style.
    pub fn paint(self, style: Style, text: &str) -> String {
        let style = self.with(style);
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}

/// Whether standard output is a terminal: then each line must appear immediately.
pub(crate) fn is_interactive() -> bool {
    std::io::stdout().is_terminal()
}
