"""A guest's life as a program drives it through libvirt's Python binding: life.py SOCKET DOMAIN.xml"""

import sys
import threading
import time

import libvirt
import libvirt_qemu

socket, definition = sys.argv[1], open(sys.argv[2]).read()


def quiet(_context, _error):
    pass


def refused(code, ask, *arguments):
    """The call must fail with this error of libvirt."""
    try:
        answer = ask(*arguments)
    except libvirt.libvirtError as error:
        assert error.get_error_code() == code, f"{ask.__name__}: {error.get_error_code()}: {error}"
        return
    raise AssertionError(f"{ask.__name__} was not refused but answered {answer!r}")


def wait_for(what, ask):
    deadline = time.monotonic() + 60
    while not ask():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


libvirt.registerErrorHandler(quiet, None)
libvirt.virEventRegisterDefaultImpl()


def serve_events():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=serve_events, daemon=True).start()

connection = libvirt.open(f"qemu+unix:///session?socket={socket}")
connection.setKeepAlive(5, 3)
assert connection.getType() == "QEMU" and connection.isAlive() and connection.isSecure()
assert connection.getInfo()[0] and "<capabilities>" in connection.getCapabilities()
assert "<domainCapabilities>" in connection.getDomainCapabilities(None, None, None, "qemu")
assert connection.getMaxVcpus("qemu") > 0 and connection.getFreeMemory() > 0
refused(libvirt.VIR_ERR_NO_SUPPORT, connection.listAllNetworks)
refused(libvirt.VIR_ERR_NO_DOMAIN, connection.lookupByName, "nobody")
refused(libvirt.VIR_ERR_XML_ERROR, connection.defineXML, "<domain type='qemu'><name>x</name></domain>")

seen = []
connection.domainEventRegisterAny(
    None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lambda _c, _d, event, _detail, _o: seen.append(event), None
)
domain = connection.defineXML(definition)
name = domain.name()
assert not domain.isActive() and domain.isPersistent() and domain.ID() == -1
domain.create()
assert domain.isActive() and domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
assert connection.numOfDomains() == 1 and connection.listDomainsID() == [domain.ID()]
assert connection.lookupByID(domain.ID()).UUIDString() == domain.UUIDString()
assert domain.info()[1] == domain.maxMemory() and len(domain.vcpus()[0]) == domain.info()[3]
assert domain.memoryStats()["actual"] == domain.maxMemory()
assert "cpu_time" in domain.getCPUStats(True)[0]
assert connection.getAllDomainStats()[0][0].name() == name
assert "return" in libvirt_qemu.qemuMonitorCommand(domain, '{"execute":"query-status"}', 0)
refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.create)
refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.getTime)

# What the guest says on its console, taken as it comes.
console = connection.newStream()
domain.openConsole(None, console, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
console.send(b"\n")
said = b""
while b"#" not in said:
    said += console.recv(4096)
console.send(b"echo $((6 * 7))x\n")
while b"42x" not in said:
    said += console.recv(4096)
console.abort()

domain.suspend()
assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
domain.resume()
assert domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING

picture = bytearray()
stream = connection.newStream()
kind = domain.screenshot(stream, 0, 0)
stream.recvAll(lambda _s, data, opaque: opaque.extend(data), picture)
stream.finish()
assert kind.startswith("image/") and len(picture) > 100

domain.managedSave()
assert not domain.isActive() and domain.hasManagedSaveImage()
domain.create()
assert domain.isActive() and not domain.hasManagedSaveImage()
domain.destroy()
refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.destroy)
domain.undefine()
refused(libvirt.VIR_ERR_NO_DOMAIN, domain.info)

wanted = [
    libvirt.VIR_DOMAIN_EVENT_DEFINED,
    libvirt.VIR_DOMAIN_EVENT_STARTED,
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED,
    libvirt.VIR_DOMAIN_EVENT_RESUMED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED,
    libvirt.VIR_DOMAIN_EVENT_STARTED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED,
    libvirt.VIR_DOMAIN_EVENT_UNDEFINED,
]


def in_order():
    """Whether all that is wanted was seen, in its order, whatever else came between."""
    events = iter(seen)
    return all(event in events for event in wanted)


wait_for(f"events, have {seen}", in_order)
connection.close()
print("done")
