#include "tests/app/observed_application.h"

#include <QThread>
#include <mutex>

namespace {

// Held while something is queued, and for a moment before each delivery: an order that the sanitizer sees. Slots of the
// same thread run inside.
std::recursive_mutex queues;

void see_what_was_queued() { const std::scoped_lock lock(queues); }

}  // namespace

#if defined(__SANITIZE_THREAD__)

// The linker sends the calls of our object files here (--wrap) and ours below to Qt.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker prescribes these names.
extern "C" {

void __real__ZN11QMetaObject8activateEP7QObjectPKS_iPPv(QObject*, const QMetaObject*, int, void**);
bool __real__ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv(
    QObject*, QtPrivate::QSlotObjectBase*, Qt::ConnectionType, void*);
bool __real__ZN7QThread4waitE14QDeadlineTimer(QThread*, QDeadlineTimer);

void __wrap__ZN11QMetaObject8activateEP7QObjectPKS_iPPv(QObject* sender, const QMetaObject* type, int signal,
                                                        void** arguments) {
    const std::scoped_lock lock(queues);
    __real__ZN11QMetaObject8activateEP7QObjectPKS_iPPv(sender, type, signal, arguments);
}

bool __wrap__ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv(
    QObject* receiver, QtPrivate::QSlotObjectBase* slot, Qt::ConnectionType type, void* result) {
    const std::scoped_lock lock(queues);
    return __real__ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv(
        receiver, slot, type, result);
}

bool __wrap__ZN7QThread4waitE14QDeadlineTimer(QThread* thread, QDeadlineTimer deadline) {
    const bool ended = __real__ZN7QThread4waitE14QDeadlineTimer(thread, deadline);
    see_what_was_queued();
    return ended;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)

#endif

namespace mirror::app {

bool ObservedApplication::notify(QObject* receiver, QEvent* event) {
    see_what_was_queued();
    const bool taken = QCoreApplication::notify(receiver, event);
    see_what_was_queued();  // Shows what was done to those who wait for the thread's end.
    return taken;
}

}  // namespace mirror::app
