#include "ui/shot/prompt_edit.h"

#include <QEvent>
#include <QMimeData>
#include <QSyntaxHighlighter>

#include "ui/shot/prompt_marks.h"
#include "ui/style/ink.h"

namespace mirror::ui {

namespace {

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

PromptEdit::PromptEdit(const QString& name, QWidget* parent) : QPlainTextEdit(parent) {
    setAccessibleName(name);
    setTabChangesFocus(true);
    setFrameShape(QFrame::NoFrame);
    setVerticalScrollBarPolicy(Qt::ScrollBarAsNeeded);
}

void PromptEdit::setMarked() { marker_ = new MarkHighlighter(*this); }

void PromptEdit::changeEvent(QEvent* event) {
    QPlainTextEdit::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && marker_) marker_->rehighlight();
}

bool PromptEdit::canInsertFromMimeData(const QMimeData* source) const {
    return !source->hasUrls() && QPlainTextEdit::canInsertFromMimeData(source);
}

}  // namespace mirror::ui
