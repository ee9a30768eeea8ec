# From the 32-bit entry that a hypervisor knows (PVH: https://xenbits.xen.org/docs/unstable/misc/pvh.html) to 64-bit code.
# In: ebx, the address of hvm_start_info. Paging is off, segments are flat.

.section .note.pvh, "a", @note
.balign 4
.long 4                     # length of the name
.long 8                     # length of what follows it
.long 18                    # XEN_ELFNOTE_PHYS32_ENTRY
.asciz "Xen"
.quad pvh_start

.section .boot, "ax"
.code32
.global pvh_start
pvh_start:
    cld
    movl $stack_top, %esp
    # The first gigabyte as it is, in pages of 2 MiB; `protect` makes finer ones.
    movl $boot_pdpt, %eax
    orl $3, %eax
    movl %eax, boot_pml4
    movl $boot_pd, %eax
    orl $3, %eax
    movl %eax, boot_pdpt
    xorl %ecx, %ecx
1:
    movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax
    movl %eax, boot_pd(,%ecx,8)
    incl %ecx
    cmpl $512, %ecx
    jne 1b
    # Physical address extension, then the table, then long mode with no-execute, then paging with write protection.
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010000, %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $8, $long_start

.code64
long_start:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl %ebx, %edi
    xorl %ebp, %ebp
    call x86_64_start
    ud2

.balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    # 64-bit code
boot_gdt_pointer:
    .word 15
    .long boot_gdt

.section .bss.boot, "aw", @nobits
.balign 4096
.global boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
.global boot_pd
boot_pd: .skip 4096
