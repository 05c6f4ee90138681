name = "pv"
uuid = "11111111-1111-4111-8111-111111111111"
maxmem = 160
memory = 128
maxvcpus = 2
vcpus = 1
cpus = "0-1"
localtime = 1
on_poweroff = "preserve"
on_reboot = "rename-restart"
on_crash = "coredump-destroy"
vfb = [ "type=vnc,vncunused=0,vncdisplay=3,vnclisten=0.0.0.0,vncpasswd=pw,keymap=de" ]
vif = [ "mac=00:16:3e:11:11:11,bridge=xenbr0,script=vif-bridge,rate=1000KB/s", "mac=00:16:3e:11:11:12,script=/etc/xen/scripts/vif-route,ip=10.1.2.3" ]
pci = [ "0000:01:02.3" ]
kernel = "/k"
ramdisk = "/i"
extra = "root=/dev/xvda1 console=hvc0"
disk = [ "file:/a.img,xvda,w", "phy:/dev/vg/lv,xvdb,!", "tap:qcow2:/c.qcow2,xvdc,r", "qemu:/d.qcow2,xvdd,w" ]
