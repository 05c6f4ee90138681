name = "boot"
uuid = "11111111-1111-4111-8111-111111111112"
maxmem = 160
memory = 160
vcpus = 1
localtime = 0
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"
vfb = [ "type=sdl,display=:0,xauthority=/x" ]
bootloader = "/usr/bin/pygrub"
bootargs = "-q"
disk = [ "/dev/vg/lv,xvda,w" ]
