#include "ui/shot/prompt_edit.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMimeData>
#include <QSignalBlocker>
#include <QSyntaxHighlighter>
#include <QTextBlock>
#include <QTextCursor>

#include "ui/shot/prompt_marks.h"
#include "ui/style/ink.h"

namespace mirror::ui {

namespace {

constexpr double kLineHeight = 128;  // Percent.

// Marks block by block: the trigger and its word stand on one line or are not marked.
class MarkHighlighter : public QSyntaxHighlighter {
public:
    explicit MarkHighlighter(PromptEdit& edit) : QSyntaxHighlighter(edit.document()), edit_(edit) {}

protected:
    void highlightBlock(const QString& text) override {
        const PromptMarks marks = markPrompt(text);
        const QColor accent = ink(edit_.palette(), Ink::Accent);
        if (marks.classWord) {
            QTextCharFormat word;
            word.setFontUnderline(true);
            word.setUnderlineColor(accent);
            setFormat(marks.classWord->start, marks.classWord->length, word);
        }
        if (marks.trigger) {
            QTextCharFormat chip;
            QColor wash = accent;
            wash.setAlphaF(0.22F);
            chip.setBackground(wash);
            chip.setForeground(accent);
            setFormat(marks.trigger->start, marks.trigger->length, chip);
        }
    }

private:
    PromptEdit& edit_;
};

}  // namespace

PromptEdit::PromptEdit(const QString& name, QWidget* parent) : QTextEdit(parent) {
    setAccessibleName(name);
    setTabChangesFocus(true);
    setFrameShape(QFrame::NoFrame);
    setAcceptRichText(false);
    document()->setDocumentMargin(3);
    connect(this, &QTextEdit::textChanged, this, &PromptEdit::spaceLines);
    spaceLines();
}

// Text that is set as a whole loses the format; text that is typed or pasted inherits it.
void PromptEdit::spaceLines() {
    if (document()->firstBlock().blockFormat().lineHeight() == kLineHeight) return;
    QTextBlockFormat format;
    format.setLineHeight(kLineHeight, QTextBlockFormat::ProportionalHeight);
    QTextCursor whole(document());
    whole.select(QTextCursor::Document);
    const QSignalBlocker quiet(this);
    setUndoRedoEnabled(false);  // Setting the text has emptied the history already.
    whole.setBlockFormat(format);
    setUndoRedoEnabled(true);
}

void PromptEdit::setMarked() { marker_ = new MarkHighlighter(*this); }

bool PromptEdit::event(QEvent* event) {
    const bool asked =
        event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->matches(QKeySequence::Paste);
    const QMimeData* held = asked ? QGuiApplication::clipboard()->mimeData() : nullptr;
    if (!held || canInsertFromMimeData(held)) return QTextEdit::event(event);
    event->ignore();
    return true;
}

void PromptEdit::changeEvent(QEvent* event) {
    QTextEdit::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && marker_) marker_->rehighlight();
}

bool PromptEdit::canInsertFromMimeData(const QMimeData* source) const {
    return !source->hasUrls() && QTextEdit::canInsertFromMimeData(source);
}

}  // namespace mirror::ui
