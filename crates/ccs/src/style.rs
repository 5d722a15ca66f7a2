//! Colours, on terminals only.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Reset, Style};

/// What is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What should be known. Yellow cannot be read on white.
pub const NOTE: Style = Style::new().bold();
/// From the car.
pub const PEV: Style = AnsiColor::Cyan.on_default();
/// From the charger.
pub const EVSE: Style = AnsiColor::Magenta.on_default();
/// What a session came to.
pub const END: Style = Style::new().bold();
/// What is beside the point.
pub const DIM: Style = Style::new().dimmed();
/// The end of any of them.
pub const RESET: Reset = Reset;

/// The styles for the standard output, or none where it is no terminal (or `NO_COLOR` is set).
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Colours are wanted.
    pub enabled: bool,
}

impl Palette {
    /// What the standard output wants.
    pub fn stdout() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        Self { enabled: choice != anstream::ColorChoice::Never }
    }

    /// `style`, or nothing.
    pub fn with(self, style: Style) -> Style {
        if self.enabled { style } else { Style::new() }
    }

    /// A text in a style.
    pub fn paint(self, style: Style, text: &str) -> String {
        let style = self.with(style);
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}

/// Whether someone is looking: then each line appears at once.
pub fn is_interactive() -> bool {
    std::io::stdout().is_terminal()
}
